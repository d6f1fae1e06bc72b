
# Guide 3.4: save a function. (Goes on from 13_any_batch, whose imports it uses.)
# define a function
def fun(inputs):
    return paddle.tanh(inputs)

path = 'func/model'
inps = paddle.rand([3, 6])
origin = fun(inps)
# save the function's Program
paddle.jit.save(
    fun,
    path,
    input_spec=[
        InputSpec(
            shape=[None, 6], dtype='float32', name='x'),
    ])
# load the saved fun and run it
load_func = paddle.jit.load(path)
load_result = load_func(inps)
