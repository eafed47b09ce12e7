"""MNIST and the sets made in its image, 28 x 28 pixels in ten classes: a row of facts each."""

from __future__ import annotations

from bnn_ref.data.idx_set import IdxSet

# The MD5 of the compressed files are those that torchvision checks.
FASHION_MNIST = IdxSet(
    name="fashion-mnist",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    package="dataset-fashion-mnist",
    classes=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    source="Fashion-MNIST, H. Xiao, K. Rasul and R. Vollgraf, 2017, arXiv:1708.07747, MIT licence",
    compressed=(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    content=(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
)

MNIST = IdxSet(
    name="mnist",
    address="https://ossci-datasets.s3.amazonaws.com/mnist/",
    package="",
    classes=tuple("0123456789"),
    source=(
        "MNIST, Y. LeCun and C. Cortes, CC BY-SA 3.0; Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "
        "Proceedings of the IEEE 86(11), 1998"
    ),
    compressed=(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    content=(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
)
