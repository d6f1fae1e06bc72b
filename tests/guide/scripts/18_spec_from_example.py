
# Guide 3.5.1 (3): an InputSpec from an example. (Goes on from 10_eager_train; `path` and `image` are not shown there.)
path = "example.model/linear"
image, label = next(iter(loader()))

import kayax as paddle
from kayax.static import InputSpec
# give the input data to input_spec when saving
paddle.jit.save(
    layer=layer,
    path=path,
    input_spec=[image])
