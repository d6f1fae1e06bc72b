# Guide 3.5.1 (2): an InputSpec from a Tensor.
import numpy as np
import kayax as paddle
from kayax.static import InputSpec

x = paddle.to_tensor(np.ones([2, 2], np.float32))
x_spec = InputSpec.from_tensor(x, name='x')
print(x_spec)
