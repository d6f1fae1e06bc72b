# Guide 4.1: ResNet50 with a BuildStrategy.
import os
import kayax as paddle
import numpy as np
import kayax.optimizer as opt
from kayax import nn
from kayax.vision.models import resnet50

BATCH_SIZE = 16
BATCH_NUM = 4
EPOCH_NUM = 4

IMAGE_SIZE = 224
CLASS_NUM = 1000

# define a random dataset
class RandomDataset(paddle.io.Dataset):
    def __init__(self, num_samples):
        self.num_samples = num_samples

    def __getitem__(self, idx):
        image = np.random.random([3, IMAGE_SIZE, IMAGE_SIZE]).astype('float32')
        label = np.random.randint(0, CLASS_NUM, (1, )).astype('int64')
        return image, label

    def __len__(self):
        return self.num_samples

# define the training
def train(layer, loader, loss_fn, opt):
    for epoch_id in range(EPOCH_NUM):
        for batch_id, (images, labels) in enumerate(loader()):
            out = layer(images)
            loss = loss_fn(out, labels)
            loss.backward()
            opt.step()
            opt.clear_grad()
            print("Epoch {} batch {}: loss = {}".format(
                epoch_id, batch_id, np.mean(loss.numpy())))

def get_build_strategy():
    build_strategy = paddle.static.BuildStrategy()
    # addto usually goes with the variable FLAGS_max_inplace_grad_add
    build_strategy.enable_addto = True
    os.environ['FLAGS_max_inplace_grad_add'] = "8"
    build_strategy.fuse_elewise_add_act_ops = True
    return build_strategy

# create network
model = resnet50()
# convert, with a strategy of graph optimization
model = paddle.jit.to_static(model, build_strategy=get_build_strategy())
# loss
loss_fn = nn.CrossEntropyLoss()
# optimizer
adam = opt.Adam(learning_rate=0.001, parameters=model.parameters())
# create data loader
dataset = RandomDataset(BATCH_NUM * BATCH_SIZE)
loader = paddle.io.DataLoader(dataset,
                              batch_size=BATCH_SIZE,
                              shuffle=True,
                              drop_last=True,
                              num_workers=2)
# train
train(model, loader, loss_fn, adam)
