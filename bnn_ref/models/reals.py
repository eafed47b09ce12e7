"""ResNet-18 and ResNet-34, full precision: ReLU, and one shortcut for two convolutions."""

from __future__ import annotations

from bnn_ref.layers import BatchNorm, Conv2d, Layer, MaxPool2d, ReLU, Sequential
from bnn_ref.models.base import Classifier, stem
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, Residual, changes, doubling


class BasicBlock(Sequential):
    """y = ReLU(norm(conv 3x3(ReLU(norm(conv 3x3(x))))) + shortcut(x)), all of it real.

    The shortcut is the identity; where the shape changes it is a 1x1 convolution with that stride, and norm.
    Source: resnet2016.
    """

    def __init__(self, operands: Operands, change: Change) -> None:
        c, f, stride = change
        first = Conv2d(c, f, 3, stride=stride, padding=1, rng=operands.rng)
        second = Conv2d(f, f, 3, padding=1, rng=operands.rng)
        branch = Sequential(first, BatchNorm(f), ReLU(), second, BatchNorm(f))
        super().__init__(Residual(branch, self.shortcut(operands, change)), ReLU())

    @staticmethod
    def shortcut(operands: Operands, change: Change) -> Layer | None:
        """The identity, or a 1x1 convolution with the stride, and norm."""
        if change.same:
            return None
        c, f, stride = change
        return Sequential(Conv2d(c, f, 1, stride=stride, rng=operands.rng), BatchNorm(f))


class RealResNet(Classifier):
    """conv 7x7 / 2, norm, ReLU, max pool -> stages of basic blocks -> mean -> linear.

    The full-precision network that Bi-Real Net is compared with. Nothing in it is binary: whatever estimator
    it is built with, it is the same. (`bireal-18` with the estimator "real" is another graph: a clip in front
    of every convolution, and a shortcut for each.)

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image; every size fits, halves are rounded up.
    classes : int
        Length of the output.
    width : int
        Channels of the stem and the first stage; every further stage has twice as many.
    blocks : list of int
        Number of blocks of each stage.

    Source: resnet2016 (with the first weights drawn as everywhere here).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (2, 2, 2, 2),
    ) -> None:
        widths = doubling(width, blocks)
        super().__init__(
            operands,
            stem(operands, input_shape[2], width, 7, ReLU(), MaxPool2d(3, 2, 1), stride=2),
            Sequential(*(BasicBlock(operands, change) for change in changes(width, widths, blocks))),
            widths[-1],
            classes,
        )
