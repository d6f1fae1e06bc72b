
# Guide 3.2.2.1 and 3.3.2: predict. (Goes on from 06_load or 12_eager_load.)
loaded_layer.eval()
x = paddle.randn([1, IMAGE_SIZE], 'float32')
pred = loaded_layer(x)
