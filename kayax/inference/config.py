"""What a predictor is to load and where it is to run."""
from __future__ import annotations

import enum
import glob
import os
from collections.abc import Iterable
from typing import Any

from kayax.io.model_format import MODEL, PARAMS
from kayax.io.paddle.find import JSON, is_paddle_program, program_file


class Choice(enum.Enum):
    """A choice with a number, which `int` gives."""

    def __int__(self) -> int:
        return self.value


class PrecisionType(Choice):
    """With how many bits a model computes."""

    Float32, Int8, Half, Bfloat16 = range(4)


class PlaceType(Choice):
    """A kind of device."""

    UNK, CPU, GPU, XPU, CUSTOM = range(-1, 4)



# Paddle's advice to its own passes and libraries. XLA decides these things by itself: results are the same either way.
_HINTS = """delete_pass disable_mkldnn disable_mkldnn_fc_passes disable_onednn disable_onednn_fc_passes
    disable_onnxruntime enable_cinn enable_custom_passes enable_memory_optim enable_mkldnn enable_onednn
    enable_new_executor enable_new_ir enable_profile enable_save_optim_model exp_disable_tensorrt_ops
    exp_enable_use_cutlass set_mkldnn_cache_capacity set_mkldnn_op set_onednn_cache_capacity
    set_onednn_op set_optimization_level switch_ir_debug switch_specify_input_names switch_use_feed_fetch_ops
    use_optimized_model enable_ort_optimization collect_shape_range_info""".split()
# What would change where or with which precision it runs, and is not there.
_ABSENT = {
    "enable_tensorrt_engine": "TensorRT", "enable_onnxruntime": "ONNX Runtime", "enable_xpu": "a Kunlun XPU",
    "enable_ipu": "an IPU", "enable_custom_device": "a custom device", "enable_openvino_engine": "OpenVINO",
    "enable_mkldnn_int8": "computing in int8", "enable_onednn_int8": "computing in int8",
    "set_model_buffer": "a model in memory",
}
_WORDS = {"tensorrt": "TensorRT", "trt": "TensorRT", "xpu": "a Kunlun XPU", "ipu": "an IPU"}
# What Paddle's Config answers as long as none of these was asked for.
_ANSWERS = {"fraction_of_gpu_memory_for_pool": 0.0, "mark_trt_engine_outputs": None, "model_from_memory": False,
            "shape_range_info_collected": False, "shape_range_info_path": "", "specify_input_name": True,
            "tensorrt_optimization_level": 3, "tensorrt_precision_mode": PrecisionType.Float32,
            "trt_allow_build_at_runtime": False, "tuned_tensorrt_dynamic_shape": False, "use_xpu": False,
            "xpu_device_id": 0}
# Paddle's operators that are matrix products and convolutions here.
_OPERATORS = {"product": "matmul matmul_v2 mul fc linear bmm mm mv dot addmm baddbmm einsum attention multihead_matmul",
              "convolution": "conv1d conv2d conv3d depthwise_conv2d conv2d_transpose conv3d_transpose "
                             "depthwise_conv2d_transpose fused_conv2d_add_act"}


def sixteen_bits(precision: Any) -> str:
    """The dtype of a PrecisionType. Raises NotImplementedError for Int8, ValueError for Float32."""
    if precision is PrecisionType.Int8:
        raise NotImplementedError("Int8 is not available here: use PrecisionType.Half or PrecisionType.Bfloat16.")
    found = {PrecisionType.Half: "float16", PrecisionType.Bfloat16: "bfloat16"}.get(precision)
    if found is None:
        raise ValueError(f"The precision must be PrecisionType.Half or PrecisionType.Bfloat16, but got {precision!r}.")
    return found


def kept_products(operators: Iterable[str]) -> frozenset[str]:
    """The kinds of products that stay in float32 if these operators of Paddle's do."""
    if isinstance(operators, str):
        raise TypeError(f"A set of names of operators is needed, but got the text {operators!r}.")
    names = set(operators)
    return frozenset(kind for kind, known in _OPERATORS.items() if names & set(known.split()))


class PassBuilder:
    """Paddle's passes over a program; there are none here."""

    def all_passes(self) -> list[str]:
        return []

    def append_pass(self, *advice: Any) -> None:
        """Nothing to do."""

    insert_pass = delete_pass = set_passes = turn_on_debug = append_pass


class Config:
    """Which model, which device.

    ``Config("dir/net.pdmodel", "dir/net.pdiparams")``, ``Config("dir/net")``, the prefix that jit.save was given, or
    ``Config("dir")``, a folder with one model, or ``Config("dir", "net")``. A model that PaddlePaddle saved is named in
    the same ways, by its ``.json`` (version 3) or ``.pdmodel`` (version 2); its two files may have different names.

    Differs from Paddle: options that advise its own optimizer are taken and do nothing (XLA optimizes); options that
    would run the model elsewhere raise NotImplementedError. In 16 bits (`enable_use_gpu` with a precision_mode,
    `enable_mkldnn_bfloat16`) are matrix products and convolutions alone: see `convert_to_mixed_precision`.
    """

    Precision = PrecisionType
    Float32, Int8 = PrecisionType.Float32, PrecisionType.Int8
    Half, Bfloat16 = PrecisionType.Half, PrecisionType.Bfloat16

    def __init__(self, model: str | None = None, params: str | None = None):
        self._prog, self._params, self._dir = "", "", ""
        self._device, self._device_id, self._memory = "cpu", 0, 100
        self._cache: str | None = None
        self._compiler_options: dict[str, Any] = {}
        self._threads, self._ir, self._quiet = 1, True, False
        self._sixteen_bits: str | None = None
        self._kept: frozenset[str] = frozenset()
        self._low_io = False
        self.method, self.digest = "forward", None
        if model is not None:
            self.set_model(model, params)

    # ---- the model -------------------------------------------------------------------------------------------

    def set_model(self, model: str, params: str | None = None) -> None:
        """A program file and a parameter file, a prefix, a folder, or a folder and a prefix in it."""
        model = os.fspath(model)
        if params is not None and os.path.isdir(model):
            model, params = os.path.join(model, params), None
        if params is not None:
            self._prog, self._params, self._dir = model, os.fspath(params), ""
        elif os.path.isdir(model):
            self._prog, self._params, self._dir = "", "", model
        else:
            prefix = model.removesuffix(MODEL).removesuffix(JSON)
            self._prog, self._params, self._dir = program_file(prefix) or prefix + MODEL, prefix + PARAMS, ""

    def set_prog_file(self, path: str) -> None:
        self._prog = os.fspath(path)

    def set_params_file(self, path: str) -> None:
        self._params = os.fspath(path)

    def prog_file(self) -> str:
        return self._prog

    def params_file(self) -> str:
        return self._params

    def model_dir(self) -> str:
        return self._dir

    def prefix(self) -> str:
        """The prefix of the model's files; of a PaddlePaddle model the program's file, whose parameters `params_file`
        names. Raises ValueError if the files do not belong together, or none is named."""
        if self._dir:
            files = [path for suffix in (MODEL, JSON)
                     for path in sorted(glob.glob(os.path.join(glob.escape(self._dir), f"*{suffix}")), key=len)]
            prefixes = {path.removesuffix(MODEL).removesuffix(JSON): None for path in files
                        if path.endswith(MODEL) or is_paddle_program(path)}
            own = [p for p in prefixes if not any(p != q and p.startswith(f"{q}.") for q in prefixes)]
            if len(own) != 1:
                raise ValueError(f"The folder {self._dir!r} holds {len(own)} models: {own}. Give the prefix of one.")
            return own[0]
        if not self._prog:
            raise ValueError("The Config names no model: Config('dir/net.pdmodel', 'dir/net.pdiparams').")
        if not os.path.exists(self._prog) and not self._prog.endswith(MODEL):
            raise FileNotFoundError(f"There is no file {self._prog!r}, which the Config names as the model's program.")
        if is_paddle_program(self._prog):
            return self._prog
        prefix = self._prog.removesuffix(MODEL)
        if prefix == self._prog or self._params not in ("", prefix + PARAMS):
            raise ValueError(f"The files of a model are PREFIX{MODEL} and PREFIX{PARAMS}, with one prefix, but got "
                             f"{self._prog!r} and {self._params!r}.")
        return prefix

    # ---- where it runs ---------------------------------------------------------------------------------------

    def enable_use_gpu(self, memory_pool_init_size_mb: int = 100, device_id: int = 0,
                       precision_mode: PrecisionType = PrecisionType.Float32) -> None:
        """Run on a GPU that JAX sees, matrix products and convolutions in this precision. JAX manages its memory."""
        self._sixteen_bits = None if precision_mode is PrecisionType.Float32 else sixteen_bits(precision_mode)
        self._device, self._device_id, self._memory = "gpu", int(device_id), int(memory_pool_init_size_mb)

    def disable_gpu(self) -> None:
        self._device = "cpu"

    def use_gpu(self) -> bool:
        return self._device == "gpu"

    def gpu_device_id(self) -> int:
        return self._device_id

    def memory_pool_init_size_mb(self) -> int:
        return self._memory

    def jax_device(self) -> Any:
        """The `jax.Device`. Raises RuntimeError if JAX sees none of this kind."""
        import jax
        try:
            devices = jax.devices(self._device)
            return devices[self._device_id if self._device == "gpu" else 0]
        except (RuntimeError, IndexError) as error:
            raise RuntimeError(f"JAX sees no {self._device} number {self._device_id} ({error}). Call "
                               "config.disable_gpu() to run on the CPU.") from None

    # ---- precision -------------------------------------------------------------------------------------------

    def enable_mkldnn_bfloat16(self) -> None:
        """On the CPU, matrix products and convolutions take bfloat16."""
        self._sixteen_bits = "bfloat16"

    enable_onednn_bfloat16 = enable_mkldnn_bfloat16

    def set_bfloat16_op(self, operators: Iterable[str]) -> None:
        """Which of Paddle's operators `enable_mkldnn_bfloat16` is for."""
        self._kept = frozenset(_OPERATORS) - kept_products(operators)

    def exp_disable_mixed_precision_ops(self, operators: Iterable[str]) -> None:
        """Which of Paddle's operators stay in float32: of a matrix product or a convolution all of its kind."""
        self._kept = kept_products(operators)

    def enable_low_precision_io(self, on: bool = True) -> None:
        """float32 inputs and outputs have the 16-bit type too."""
        self._low_io = bool(on)

    def mkldnn_bfloat16_enabled(self) -> bool:
        return self._sixteen_bits == "bfloat16"

    def precision(self) -> Any:
        """What a session takes; None for that of the saved model. Not in Paddle."""
        if self._sixteen_bits is None:
            return None
        from kayax.io.precision import Precision
        return Precision(self._sixteen_bits, self._kept, self._low_io)

    # ---- the rest --------------------------------------------------------------------------------------------

    def set_optim_cache_dir(self, path: str) -> None:
        """Keep compiled programs in this folder, so that the next process starts quickly (JAX's compilation cache, for
        the whole process)."""
        self._cache = os.fspath(path)

    def optim_cache_dir(self) -> str | None:
        return self._cache

    def set_compiler_options(self, options: dict[str, Any]) -> None:
        """XLA's own options by name, as `jax.stages.Lowered.compile` takes them. Not in Paddle."""
        self._compiler_options = dict(options)

    def compiler_options(self) -> dict[str, Any]:
        return self._compiler_options

    def set_cpu_math_library_num_threads(self, number: int) -> None:
        """Remembered only: XLA's CPU runtime takes as many threads as the process has cores."""
        self._threads = int(number)

    def cpu_math_library_num_threads(self) -> int:
        return self._threads

    def switch_ir_optim(self, on: bool = True) -> None:
        """False keeps the weights out of the compiled programs: less memory, slower convolutions on the CPU."""
        self._ir = bool(on)

    def ir_optim(self) -> bool:
        return self._ir

    def disable_glog_info(self) -> None:
        self._quiet = True

    def glog_info_disabled(self) -> bool:
        return self._quiet

    def pass_builder(self) -> PassBuilder:
        """A list of passes that is empty and takes any advice: XLA has its own."""
        return PassBuilder()

    def summary(self) -> str:
        """The settings as a table."""
        rows = {"model": self._dir or self._prog, "params": self._params, "method": self.method,
                "device": f"{self._device}:{self._device_id}", "precision": self._sixteen_bits or "as saved",
                "compiled programs kept in": self._cache}
        return "\n".join(f"{name:26} {value}" for name, value in rows.items())

    def __getattr__(self, name: str) -> Any:
        if name in _HINTS:
            return lambda *args, **kwargs: None
        if name in _ANSWERS:
            return lambda: _ANSWERS[name]
        if name.endswith("_enabled"):
            return lambda: False
        what = _ABSENT.get(name) or next((of for word, of in _WORDS.items() if word in name.split("_")), None)
        if what is not None:
            def refuse(*args: Any, **kwargs: Any) -> None:
                raise NotImplementedError(f"Config.{name}: {what} is not available here. XLA compiles for the "
                                          "CPU, or the GPU after enable_use_gpu(), in the precision that was saved.")
            return refuse
        raise AttributeError(f"Config has no attribute {name!r}")
