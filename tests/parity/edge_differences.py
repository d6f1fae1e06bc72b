"""Where a call at its edges departs from Paddle on purpose: patterns of lines and of how they depart, and why."""

from __future__ import annotations

import re

EMPTY = r"(\.\w+\((\d+, )*0(, \d+)*\)|\[\]).* >> "      # an input without elements, or an empty list
GIVES = r" >> raises \w+, Paddle gives"
# Pattern of "line >> departure": the reason. The first that fits counts.
KNOWN: dict[str, str] = {
    EMPTY + "raises .*Paddle gives": "No elements where some are needed (windows, norms over them, matrices that are "
    "not square, operands that do not broadcast): an error. Paddle gives NaN, zeros, or what lies in memory.",
    EMPTY: "No elements: gradients are sums of nothing, 0; shapes and dtypes follow from the arguments. Paddle gives "
    "NaN, what lies in memory, or another shape.",
    r"^(Tensor\.)?[\w.]*(gather|along_axis|index|scatter|take|cross_entropy|nll|embedding)\w* .*\.(f32|f64|b)\(.*"
    + GIVES: "Indices and labels that are not integers: an error. Paddle reads their bytes.",
    r"(gather|along_axis|send_|index).*\.(u8|i16)\(": "Indices in 8 or 16 bits count. Paddle reads their bytes.",
    r"(index_fill|index_add|embedding|gather) .*raises RangeError, Paddle gives": "Indices out of range: an error. "
    "Paddle reads and writes elsewhere, or not at all.",
    r"^(mod|floor_mod|remainder|hypot|ldexp|std|var|gcd|lcm) .*\.(c64|f32|f64)\(.*" + GIVES: "Operations that are not "
    "defined for complex numbers, or for floats (gcd, lcm): an error. Paddle computes with parts of them.",
    r"\.c64\(.* >> grad": "Gradients of complex functions (determinants, decompositions, norms, products) agree with "
    "finite differences. Paddle's do not.",
    r"^gammainc": "`gammainc`: both operands are broadcast. Paddle reads beyond the smaller one.",
    r"^linalg\.cholesky_(inverse|solve) ": "The named triangle is read alone. Paddle's gradient, or value, takes the "
    "rest of a matrix that is not triangular.",
    r"^linalg\.eig(h|valsh) .*grad": "`eigh`: the gradient of every matrix of a batch agrees with finite differences.",
    r"^nn\.functional\.normalize .*grad": "`normalize`: the gradient of the function. Paddle adds epsilon in it.",
    r"softmax_with_cross_entropy .*grad": "The gradient holds for labels that do not sum to 1, and for the softmax.",
    r"^(index_put|scatter) .*grad": "`scatter`: values that another one has overwritten have no gradient.",
    r"max_unpool.*grad": "`max_unpool`: of two values for one place, the one that is there has the gradient.",
    r"ctc_loss |CTCLoss|RNNTLoss": "`ctc_loss`, `rnnt_loss`: labels that hold the blank, batches that differ: an "
    "error, or the sum over all alignments.",
    r"^(Tensor\.)?masked_(fill_|scatter) .*" + GIVES: "In place, a Tensor does not grow to its mask's shape.",
    r"axis=None.*" + GIVES: "None for an axis that is needed: an error.",
    r"(='other'|='nuc'|='fro'|multi_margin_loss.* p=|MultiMarginLoss\(p=|FusedDropoutAdd.*mode=).*"
    + GIVES: "An unknown option: an error. Paddle takes it as some other one.",
    r"data_format=.*" + GIVES: "A data_format of another number of dimensions: an error.",
    r"(deg2rad|rad2deg|nanmedian) .*dtype": "Angles of bools, medians of no elements are floats.",
    r"^nn\.(functional\..*|\w+Loss.*)\.i64\(.*dtype": "Losses of integers are floats.",
    r"^nn\.functional\.(conv|linear).*dtype float": "A bias in float64 does not widen the result.",
    r"^(Tensor\.)?(nn\.functional\.)?(permute|transpose|as_strided|pad|fill_diagonal_?|linear) .*" + GIVES:
    "Arguments of the wrong length, or beyond the memory: an error.",
    r"scaled_dot_product_attention .*" + GIVES: "Attention: batches that differ, and integers: an error.",
    r"^vecdot .*" + GIVES: "`vecdot` along several axes, or of two numbers: an error.",
    r"(deform_conv2d |DeformConv2D\().*" + GIVES: "`deform_conv2d`: batches that differ, arrays in the place of lists "
    "of numbers: an error.",
    r"^renorm .*p=": "`renorm`: the power p is positive and finite; with infinity the gradient is the limit.",
    r"^(std|var) .*\.i64\(": "`var`, `std` of integers are rounded towards 0 once.",
    r"(avg_pool|AvgPool).*ceil_mode=True": "`avg_pool`: windows wholly in the padding give 0. Paddle gives NaN.",
    r"AdaptiveLogSoftmaxWithLoss.*grad": "`AdaptiveLogSoftmaxWithLoss`: the rare classes' weights have gradients.",
    r"^nn\.(GroupNorm|InstanceNorm2D|GRU|Upsample)\(.*grad\.0": "Gradients without affine parameters, with channels "
    "last, of padded sequences, of averaged resizing agree with finite differences. Paddle's do not.",
    r"^nn\.SpectralNorm\(.*grad": "`SpectralNorm`: the gradient belongs to the vectors that were used. Paddle iterates "
    "them further first.",
    r"^optimizer\.Momentum.*rescale_grad": "`Momentum`: rescale_grad scales. Paddle's CPU kernel leaves it out.",
    r"^distribution\.": "Distributions compute in their parameters' dtype, if floating; probabilities of 1 have "
    "entropy 0. Paddle takes the wider of value and parameter, or gives NaN.",
    r"buffer\._": "A Tensor for an option of a Layer is read as its number, and not kept as a buffer.",
    r"^nn\.(\w+Cell|Linear)\(.*" + GIVES: "Cells take [batch, features]; operands of one dtype.",
    r"^nn\.MaxPool1D\(.*" + GIVES: "A window larger than what it moves over: an error. Paddle gives nothing.",
    r"(margin=-1|min=-0.5, max=-1|beta=0,|weight_decay=-1|out_channels=0|output_size=0"
    r"|(rho|epsilon|beta1|beta2|dropout)=(-1|2)).* >> ": "Options out of range: an error, or what the formula gives.",
    r"raises (\w*Error), Paddle (TypeError|IndexError|ValueError)$": "An argument of a wrong kind or rank: another of "
    "ValueError, TypeError and IndexError, where Paddle stumbles over it.",
    r"\.\w+\(([\d.-]*)\)(\.fixed\(\))?(,.*)? >> ": "Without dimensions: an error where some are needed; gradients "
    "and norms are those of one element. Paddle takes a vector, or unwritten memory.",
}


def reason(line: str, departures: list[str]) -> str:
    """Why the line departs as it does; "" if that is not on purpose."""
    found = f"{line} >> {' ; '.join(departures)}"
    return next((why for pattern, why in KNOWN.items() if re.search(pattern, found)), "")
