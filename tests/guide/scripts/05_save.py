
# Guide 3.2.1: save the network that was trained converted. (Goes on from 01_decorator or 02_function.)
# to save a model for inference, switch to eval() first
# layer.eval()

# save the trained static model with paddle.jit.save
path = "example.model/linear"
paddle.jit.save(layer, path)
