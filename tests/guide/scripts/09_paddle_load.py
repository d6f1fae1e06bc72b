# Guide 3.2.2.2: load only the parameters, with paddle.load. (After 05_save, in the same folder.)
import kayax as paddle
import kayax.nn as nn

IMAGE_SIZE = 784
CLASS_NUM = 10

# define the network
class LinearNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self._linear = nn.Linear(IMAGE_SIZE, CLASS_NUM)

    @paddle.jit.to_static
    def forward(self, x):
        return self._linear(x)


# create a network
layer = LinearNet()
# load the parameters that paddle.jit.save wrote
path = "example.model/linear"
state_dict = paddle.load(path)

# give the parameters to the layer, and predict
layer.set_state_dict(state_dict, use_structured_name=False)
layer.eval()
x = paddle.randn([1, IMAGE_SIZE], 'float32')
pred = layer(x)
