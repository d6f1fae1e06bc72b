"""The inner paths of Paddle 2 and 3, and for each the public modules that have its names ("" is `paddle` itself)."""
from __future__ import annotations

NAMES = "inner.names"               # what is public nowhere
PROGRAMS = "inner.programs"
PARALLEL = "inner.parallel"

# path: where its names are, and the modules below it, which have the same names unless they are listed themselves.
_TABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "tensor": (("", "linalg", "fft", NAMES), """array attribute creation einsum linalg logic manipulation math ops
        random search stat tensor to_string layer_function_generator"""),
    "nn.layer": (("nn", "nn.functional", NAMES), """activation common container conv distance layers loss norm pooling
        rnn transformer vision"""),
    "nn.loss": (("nn", "nn.functional"), ""),
    "nn.modules": (("nn",), "container module"),
    "nn.functional.flash_attention": (("bridge.ops.attention", "bridge.ops.attention_masked"), ""),
    "nn.functional.sdpa": (("nn.functional",), ""),
    "nn.functional": ((NAMES,), ""),
    "nn.clip": (("nn", "nn.utils", NAMES), ""),
    "nn.decode": (("nn", NAMES), ""),
    "nn.parameter": (("nn", NAMES), ""),
    "nn.initializer": ((NAMES,), ""),
    "optimizer.optimizer": (("optimizer", "regularizer", NAMES), ""),
    "autograd.py_layer": (("autograd",), ""),
    "autograd.backward_mode": (("autograd",), ""),
    "autograd.autograd": (("autograd",), ""),
    "jit.api": (("jit", "static", NAMES, PROGRAMS), ""),
    "jit.translated_layer": (("jit",), ""),
    "jit.marker": (("bridge.to_static.marker",), ""),
    "jit.layer": (("jit",), ""),
    "jit.pir_translated_layer": (("jit",), ""),
    "jit.dy2static": (("jit", "static.nn", NAMES, PROGRAMS), """program_translator convert_operators
        convert_call_func utils function_spec partial_program logging_utils error"""),
    "jit.sot": (("jit", NAMES, PROGRAMS), "utils"),
    "amp.auto_cast": (("amp",), ""),
    "amp.grad_scaler": (("amp",), ""),
    "amp.amp_lists": (("amp",), ""),
    "io.reader": (("io",), ""),
    "io.dataloader": (("io", NAMES), "batch_sampler collate dataloader_iter dataset fetcher sampler worker"),
    "metric.metrics": (("metric",), ""),
    "pir": ((PROGRAMS, "static"), "core"),
    "pir_utils": ((PROGRAMS,), ""),
    "profiler.utils": (("profiler",), ""),
    "static": ((NAMES,), ""),
    "static.input": (("static",), ""),
    "static.io": (("static",), ""),
    "static.nn.common": (("static.nn", "static"), ""),
    "static.nn.control_flow": (("static.nn",), ""),
    "static.nn.loss": (("static.nn",), ""),
    "static.nn.metric": (("static",), ""),
    "distributed.auto_parallel": (("distributed",), "api interface placement_type process_mesh"),
    "distributed.fleet.utils.hybrid_parallel_util": ((PARALLEL,), ""),
    "distributed.fleet.utils.sequence_parallel_utils": ((PARALLEL,), ""),
    "distributed.parallel": (("distributed", ""), ""),
    "distributed.collective": (("distributed",), ""),
    "distributed.communication": (("distributed",), "all_reduce all_gather broadcast group reduce scatter"),
    "distributed.communication.stream": (("distributed.stream",), ""),
    "distributed.fleet.recompute": (("distributed.fleet.utils",), "recompute"),
    "distributed.fleet.base": (("distributed.fleet",), "distributed_strategy role_maker topology util_factory"),
    "distributed.fleet.layers": (("distributed.fleet.meta_parallel",), "mpu"),
    "distributed.fleet.layers.mpu.mp_layers": (("distributed.fleet.meta_parallel",), ""),
    "distributed.fleet.layers.mpu.random": (("distributed.fleet.meta_parallel",), ""),
    "distributed.fleet.meta_parallel.parallel_layers": (("distributed.fleet.meta_parallel",),
                                                        "mp_layers pp_layers random"),
    "distributed.fleet.fleet": (("distributed.fleet",), ""),
    "distribution.distribution": (("distribution",), ""),
    "hapi.progressbar": (("hapi.progress",), ""),
    "hapi.model_summary": (("hapi",), ""),
    "hapi.dynamic_flops": (("hapi",), ""),
    "hapi.hub": (("hub",), ""),
    "utils": ((NAMES,), ""),
    "utils.deprecated": (("utils",), ""),
    "utils.lazy_import": (("utils",), ""),
    "utils.install_check": (("utils",), ""),
    "utils.layers_utils": (("utils", NAMES), ""),
    "framework": (("", "static", NAMES), "dtype framework io io_utils random"),
    "framework.core": (("inner.core", NAMES, "device", ""), "eager"),
    "common_ops_import": ((NAMES, "static", ""), ""),
    "common_ops_import.core": (("inner.core", NAMES, "device", ""), ""),
    "base": ((NAMES, "static", "nn", ""), """backward compiler data_feeder executor framework layer_helper
        lod_tensor log_helper param_attr variable_index wrapped_decorator"""),
    "base.io": ((NAMES, "static", "io"), ""),
    "base.reader": (("io", ""), ""),
    "base.framework.core": (("inner.core", NAMES, "device", ""), "eager"),
    "base.core": (("inner.core", NAMES, "device", ""), "eager"),
    "base.libpaddle": (("inner.core", NAMES, ""), ""),
    "base.dygraph": ((NAMES, "nn", "jit", "optimizer", ""), "base tracer math_op_patch"),
    "base.initializer": (("nn.initializer",), ""),
    "base.unique_name": (("utils.unique_name",), ""),
    "base.layers": (("static.nn", "nn.functional", NAMES, ""), ""),
    "base.regularizer": (("regularizer",), ""),
    "base.clip": (("nn",), ""),
    "base.incubate": (("incubate",), ""),
    "incubate.nn.layer": (("incubate.nn",), "fused_dropout_add fused_linear fused_transformer"),
    "incubate.nn.loss": (("incubate",), ""),
    "incubate.operators": (("incubate",), """graph_reindex graph_sample_neighbors graph_send_recv softmax_mask_fuse
        softmax_mask_fuse_upper_triangle"""),
    "incubate.tensor": (("incubate",), "math"),
    "sparse.nn.layer": (("sparse.nn",), "activation conv norm pooling"),
}
# Files of one class or function each: their names are those of the module above them.
_FILES = {
    "nn.functional": "activation common conv distance extension input loss norm pooling vision",
    "nn.initializer": "assign bilinear constant dirac initializer kaiming lazy_init normal orthogonal uniform xavier",
    "nn.utils": "clip_grad_norm_ clip_grad_value_ spectral_norm_hook transform_parameters weight_norm_hook",
    "optimizer": "adadelta adagrad adam adamax adamw asgd lamb lbfgs momentum nadam radam rmsprop rprop sgd",
    "incubate.optimizer": "lbfgs lookahead modelaverage",
    "incubate.nn.functional": """fused_bias_act fused_dropout_add fused_layer_norm fused_matmul_bias fused_rms_norm
        fused_rotary_position_embedding fused_transformer variable_length_memory_efficient_attention""",
    "distribution": """bernoulli beta binomial categorical cauchy chi2 constraint continuous_bernoulli dirichlet
        exponential exponential_family gamma geometric gumbel independent kl laplace lognormal multinomial
        multivariate_normal normal poisson student_t transform transformed_distribution uniform variable""",
    "vision.transforms": "transforms functional_cv2 functional_pil functional_tensor",
    "sparse.nn.functional": "pooling transformer",
    "geometric": "math reindex",
    "audio.backends": "backend init_backend",
    "quantization": "base_observer base_quanter ptq qat wrapper",
    "quantization.observers": "abs_max groupwise",
    "quantization.quanters": "abs_max",
}

PATHS: dict[str, tuple[str, ...]] = {path: places for path, (places, _) in _TABLE.items()}
PATHS |= {f"{path}.{name}": places for path, (places, names) in _TABLE.items() for name in names.split()
          if f"{path}.{name}" not in PATHS}
PATHS |= {f"{path}.{name}": (path, NAMES) for path, names in _FILES.items() for name in names.split()}
