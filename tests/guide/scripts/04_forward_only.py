# Guide 2.2: the right way.
import kayax as paddle
import kayax.nn as nn

IMAGE_SIZE = 784
CLASS_NUM = 10


class LinearNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self._linear = nn.Linear(IMAGE_SIZE, CLASS_NUM)

    # the way to write it: forward predicts, and nothing else
    @paddle.jit.to_static
    def forward(self, x):
        return self._linear(x)
