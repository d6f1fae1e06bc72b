"""Sparsity in static mode."""
import numpy as np

import kayax as paddle


def test_pruned_weights_stay_zero_in_a_program():
    paddle.enable_static()
    try:
        main, startup = paddle.static.Program(), paddle.static.Program()
        with paddle.static.program_guard(main, startup):
            x = paddle.static.data("x", [None, 8])
            net = paddle.nn.Linear(8, 4)
            loss = net(x).square().mean()
            paddle.incubate.asp.decorate(paddle.optimizer.SGD(0.1)).minimize(loss, startup)
        run = paddle.static.Executor()
        run.run(startup)
        mask = paddle.incubate.asp.prune_model(main, mask_algo="mask_2d_best")[net.weight.name]
        for _ in range(2):
            run.run(main, feed={"x": np.ones([2, 8], "float32")})
    finally:
        paddle.disable_static()
    assert ((net.weight.numpy() != 0) == (mask != 0)).all() and 0 < mask.sum() < mask.size
