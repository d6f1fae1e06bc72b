# Guide 2.2: how not to write it. (`nn.functional.mean`, which does not exist in Paddle 3.3.1 either, stays as it is.)
import kayax as paddle
import kayax.nn as nn

IMAGE_SIZE = 784
CLASS_NUM = 10


class LinearNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self._linear = nn.Linear(IMAGE_SIZE, CLASS_NUM)

    @paddle.jit.to_static
    def forward(self, x, label=None):
        out = self._linear(x)
        # not the way to write it: the loss is computed in forward
        if label:
            loss = nn.functional.cross_entropy(out, label)
            avg_loss = nn.functional.mean(loss)
            return out, avg_loss
        else:
            return out
