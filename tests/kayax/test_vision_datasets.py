"""The image datasets, read from small files of the true formats."""
import gzip
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

import kayax as paddle
from kayax.io import local_data
from kayax.vision import datasets, image_load
from kayax.vision.transforms import ToTensor


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    """No file that this machine may hold is found."""
    monkeypatch.setattr(local_data, "HOME", str(tmp_path / "kept"))
    yield
    paddle.vision.set_image_backend("pil")


def pixels(*shape):
    return np.random.RandomState(0).randint(0, 256, shape, dtype=np.uint8)


def idx(path, values):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(f">{1 + values.ndim}I", 0x800 + values.ndim, *values.shape) + values.tobytes())
    return str(path)


def image_bytes(array, kind):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return str(path)


@pytest.fixture
def mnist(tmp_path):
    return idx(tmp_path / "images.gz", pixels(5, 28, 28)), idx(tmp_path / "labels.gz", pixels(5) % 10)


def test_mnist(mnist):
    data = datasets.MNIST(*mnist)
    image, label = data[3]
    assert len(data) == 5 and image.mode == "L" and label.shape == (1,) and label.dtype == np.int64
    np.testing.assert_array_equal(np.asarray(image), pixels(5, 28, 28)[3])
    assert label[0] == pixels(5)[3] % 10
    as_array, _ = datasets.MNIST(*mnist, mode="test", backend="cv2")[3]
    assert as_array.dtype == np.float32
    np.testing.assert_array_equal(as_array, pixels(5, 28, 28)[3])
    assert datasets.FashionMNIST(*mnist, transform=ToTensor())[0][0].shape == [1, 28, 28]


def test_mnist_in_a_loader(mnist):
    batches = list(paddle.io.DataLoader(datasets.MNIST(*mnist, transform=ToTensor()), batch_size=2))
    assert [batch[0].shape for batch in batches] == [[2, 1, 28, 28], [2, 1, 28, 28], [1, 1, 28, 28]]


def test_damaged_mnist(mnist, tmp_path):
    with pytest.raises(ValueError, match="not an IDX file of bytes with 3 dimensions"):
        datasets.MNIST(mnist[1], mnist[1])
    with gzip.open(mnist[0]) as file:
        whole = file.read()
    (tmp_path / "cut.gz").write_bytes(gzip.compress(whole[:-7]))
    with pytest.raises(ValueError, match="it was cut"):
        datasets.MNIST(str(tmp_path / "cut.gz"), mnist[1])


def test_a_missing_file_says_where_to_put_it():
    with pytest.raises(FileNotFoundError, match=r"(?s)train-images-idx3-ubyte.gz.*put it at .*mnist.*pass the path"):
        datasets.MNIST()
    with pytest.raises(AssertionError, match="image_path is not set and download=False"):
        datasets.MNIST(download=False)
    with pytest.raises(FileNotFoundError, match="data_file='nowhere.tar.gz' does not exist"):
        datasets.Cifar10("nowhere.tar.gz")


def test_a_file_that_paddle_has_downloaded_is_found(mnist):
    folder = os.path.join(local_data.HOME, "mnist")
    os.makedirs(folder)
    for path, name in zip(mnist, ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"), strict=True):
        os.rename(path, os.path.join(folder, name))
    assert len(datasets.MNIST(mode="test")) == 5


@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar(tmp_path, protocol):
    def batch(start, key):
        rows = pixels(6, 3072)[start:start + 3]
        return pickle.dumps({b"data": rows, key: list(range(start, start + 3))}, protocol)

    ten = tar_of(tmp_path / "ten.tar.gz", {"c/data_batch_2": batch(3, b"labels"), "c/data_batch_1": batch(0, b"labels"),
                                           "c/test_batch": batch(1, b"labels")}, "w:gz")
    data = datasets.Cifar10(ten)
    image, label = data[4]
    assert len(data) == 6 and label == 4 and label.dtype == np.int64 and label.shape == ()
    np.testing.assert_array_equal(np.asarray(image), pixels(6, 3072)[4].reshape(3, 32, 32).transpose(1, 2, 0))
    assert len(datasets.Cifar10(ten, mode="test", backend="cv2")) == 3
    hundred = tar_of(tmp_path / "hundred.tar.gz", {"c/train": batch(0, b"fine_labels")}, "w:gz")
    assert datasets.Cifar100(hundred)[1][1] == 1
    with pytest.raises(ValueError, match="no archive of Cifar10"):
        datasets.Cifar10(hundred)


def test_cifar_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    bad = tar_of(tmp_path / "bad.tar.gz", {"c/data_batch_1": pickle.dumps({b"data": Evil()}, 2)}, "w:gz")
    with pytest.raises(ValueError, match="mkdir"):
        datasets.Cifar10(bad)
    assert not (tmp_path / "ran").exists()


def test_flowers(tmp_path):
    from scipy.io import savemat
    pictures = {f"jpg/image_{i:05}.jpg": image_bytes(pixels(8, 9, 3), "jpeg") for i in (1, 2, 3)}
    archive = tar_of(tmp_path / "102flowers.tgz", pictures, "w:gz")
    savemat(tmp_path / "labels.mat", {"labels": [[7, 8, 9]]})
    savemat(tmp_path / "sets.mat", {"trnid": [[2]], "tstid": [[3, 1]], "valid": [[1]]})
    paths = archive, str(tmp_path / "labels.mat"), str(tmp_path / "sets.mat")
    data = datasets.Flowers(*paths)
    image, label = data[0]
    assert len(data) == 2 and image.size == (9, 8) and label.tolist() == [9]
    assert datasets.Flowers(*paths, mode="test", backend="cv2")[0][0].shape == (8, 9, 3)


def test_voc2012_also_in_another_process(tmp_path):
    root = "VOCdevkit/VOC2012/"
    archive = tar_of(tmp_path / "voc.tar", {
        f"{root}ImageSets/Segmentation/trainval.txt": b"a\nb\n",
        **{f"{root}JPEGImages/{n}.jpg": image_bytes(pixels(8, 9, 3), "jpeg") for n in "ab"},
        **{f"{root}SegmentationClass/{n}.png": image_bytes(pixels(8, 9), "png") for n in "ab"}})
    data = pickle.loads(pickle.dumps(datasets.VOC2012(archive)))
    image, label = data[1]
    assert len(data) == 2 and image.size == (9, 8)
    np.testing.assert_array_equal(np.asarray(label), pixels(8, 9))
    with pytest.raises(ValueError, match="no member 'VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt'"):
        datasets.VOC2012(archive, mode="valid")


def test_folders(tmp_path):
    for name in ("cats/one.png", "cats/deep/two.PNG", "dogs/three.png", "dogs/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(image_bytes(pixels(4, 5), "png"))
    data = datasets.DatasetFolder(str(tmp_path))
    assert data.classes == ["cats", "dogs"] and data.targets == [0, 0, 1] and data[2][1] == 1
    assert data[0][0].mode == "RGB" and data[0][0].size == (5, 4)
    flat = datasets.ImageFolder(str(tmp_path), is_valid_file=lambda path: path.endswith("three.png"))
    assert len(flat) == 1 and len(flat[0]) == 1
    with pytest.raises(RuntimeError, match="No samples were found"):
        datasets.ImageFolder(str(tmp_path), extensions=[".gif"])


def test_image_load(tmp_path):
    path = str(tmp_path / "a.png")
    Image.fromarray(pixels(4, 5, 3)).save(path)
    with image_load(path) as image:
        assert image.size == (5, 4)
    np.testing.assert_array_equal(image_load(path, "tensor").numpy(), pixels(4, 5, 3).transpose(2, 0, 1))
    with pytest.raises(ValueError, match="must be one of pil, cv2, tensor"):
        paddle.vision.set_image_backend("skimage")


def test_opencv_is_only_needed_to_read(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    paddle.vision.set_image_backend("cv2")
    assert paddle.vision.get_image_backend() == "cv2"
    with pytest.raises(ModuleNotFoundError, match="pip install opencv-python-headless"):
        image_load(str(tmp_path / "a.png"))
