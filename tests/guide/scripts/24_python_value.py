# Guide 3.5.2 (4): an argument that is not a Tensor. The guide leaves `net` out of `to_static(input_spec=...)`, which
# then is a decorator that saves nothing of the net; here the net is given, and the two files have a name of their own.
import kayax as paddle
from kayax.nn import Layer
from kayax.jit import to_static
from kayax.static import InputSpec

class SimpleNet(Layer):
    def __init__(self, ):
        super().__init__()
        self.linear = paddle.nn.Linear(10, 3)
        self.relu = paddle.nn.ReLU()

    def forward(self, x, use_act=False):
        out = self.linear(x)
        if use_act:
            out = self.relu(out)
        return out

net = SimpleNet()
x = paddle.randn([5, 10])
plain, act = net(x), net(x, True)
# 1: save inference model with use_act=False
net = to_static(net, input_spec=[InputSpec(shape=[None, 10], name='x')])
paddle.jit.save(net, path='./simple_net')
# 2: save inference model with use_act=True
net = to_static(net, input_spec=[InputSpec(shape=[None, 10], name='x'), True])
paddle.jit.save(net, path='./simple_net_act')
