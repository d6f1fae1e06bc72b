# Guide 3.4: a size that changes needs an InputSpec.
import kayax as paddle
import kayax.nn as nn
from kayax.static import InputSpec

IMAGE_SIZE = 784
CLASS_NUM = 10

# define the network
class LinearNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self._linear = nn.Linear(IMAGE_SIZE, CLASS_NUM)

    # the input's size changes (one dimension is None), so an InputSpec is needed
    @paddle.jit.to_static(input_spec=[InputSpec(shape=[None, 784], dtype='float32')])
    def forward(self, x):
        return self._linear(x)
