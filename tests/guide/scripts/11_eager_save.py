
# Guide 3.3.1: save an eagerly trained network. (Goes on from 10_eager_train.)
from kayax.static import InputSpec
# 1. switch to eval()
layer.eval()
# 2. make the InputSpec
input_spec = InputSpec([None, 784], 'float32', 'x')
# 3. save as a static model with paddle.jit.save
path = "example.dy_model/linear"
paddle.jit.save(
    layer=layer,
    path=path,
    input_spec=[input_spec])
