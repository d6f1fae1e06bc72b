"""``paddle.autograd``: asking for gradients, and operations with gradients of one's own."""
from kayax.bridge.autograd import backward, enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled
from kayax.bridge.jacobian import hessian, jacobian
from kayax.bridge.pylayer import PyLayer, PyLayerContext
from kayax.bridge.saved_hooks import saved_tensors_hooks

Function = PyLayer

__all__ = ["Function", "PyLayer", "PyLayerContext", "backward", "enable_grad", "grad", "hessian", "is_grad_enabled",
           "jacobian", "no_grad", "saved_tensors_hooks", "set_grad_enabled"]
