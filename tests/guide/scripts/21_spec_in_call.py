# Guide 3.5.2 (2): the InputSpec in the call. (`train_step` and `train_reader` are pseudocode there; here they are made.)
import kayax as paddle
from kayax.nn import Layer
from kayax.jit import to_static
from kayax.static import InputSpec

class SimpleNet(Layer):
    def __init__(self):
        super().__init__()
        self.linear = paddle.nn.Linear(10, 3)

    def forward(self, x, y):
        out = self.linear(x)
        out = out + y
        return out

net = SimpleNet()

sgd = paddle.optimizer.SGD(learning_rate=0.1, parameters=net.parameters())
train_reader = [(paddle.rand([4, 10]), paddle.rand([3])) for _ in range(2)]
def train_step(net, reader):
    for x, y in reader:
        loss = (net(x, y) ** 2).mean()
        loss.backward()
        sgd.step()
        sgd.clear_grad()
        print("loss = {}".format(float(loss)))

# train process (Pseudo code)
for epoch_id in range(10):
    train_step(net, train_reader)

# the InputSpec in the call of paddle.jit.to_static
net = to_static(net, input_spec=[InputSpec(shape=[None, 10], name='x'), InputSpec(shape=[3], name='y')])

# save static graph model for inference directly
paddle.jit.save(net, './simple_net')
