# Guide 3.2.2.1: load with paddle.jit.load.
import numpy as np
import kayax as paddle
import kayax.nn as nn
import kayax.optimizer as opt

BATCH_SIZE = 16
BATCH_NUM = 4
EPOCH_NUM = 4

IMAGE_SIZE = 784
CLASS_NUM = 10

# load the model that paddle.jit.save wrote
path = "example.model/linear"
loaded_layer = paddle.jit.load(path)
