# Guide 3.4: save several methods.
import kayax as paddle
import kayax.nn as nn
from kayax.static import InputSpec

IMAGE_SIZE = 784
CLASS_NUM = 10


class LinearNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self._linear = nn.Linear(IMAGE_SIZE, CLASS_NUM)
        self._linear_2 = nn.Linear(IMAGE_SIZE, CLASS_NUM)

    # convert the forward method
    @paddle.jit.to_static(input_spec=[InputSpec(shape=[None, IMAGE_SIZE], dtype='float32')])
    def forward(self, x):
        return self._linear(x)

    # convert the other method that is to be saved
    @paddle.jit.to_static(input_spec=[InputSpec(shape=[None, IMAGE_SIZE], dtype='float32')])
    def another_forward(self, x):
        return self._linear_2(x)

inps = paddle.randn([1, IMAGE_SIZE])

layer = LinearNet()
before_0 = layer.another_forward(inps)
before_1 = layer(inps)
# save the model
path = "example.model/linear"
paddle.jit.save(layer, path)
