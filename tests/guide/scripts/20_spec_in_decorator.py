# Guide 3.5.2 (1): the InputSpec in the decorator.
import kayax as paddle
from kayax.nn import Layer
from kayax.jit import to_static
from kayax.static import InputSpec

class SimpleNet(Layer):
    def __init__(self):
        super().__init__()
        self.linear = paddle.nn.Linear(10, 3)

    # the InputSpec in the decorator
    @to_static(input_spec=[InputSpec(shape=[None, 10], name='x'), InputSpec(shape=[3], name='y')])
    def forward(self, x, y):
        out = self.linear(x)
        out = out + y
        return out

net = SimpleNet()

# save static graph model for inference directly
paddle.jit.save(net, './simple_net')
