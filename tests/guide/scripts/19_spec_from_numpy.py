# Guide 3.5.1 (4): an InputSpec from a numpy.ndarray.
import numpy as np
from kayax.static import InputSpec

x = np.ones([2, 2], np.float32)
x_spec = InputSpec.from_numpy(x, name='x')
print(x_spec)
