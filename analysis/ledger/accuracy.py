"""Results that are trained: on record here, and to be tested by full-size training alone."""

from __future__ import annotations

from analysis.ledger.claim import Claim, Finding, claim, collected

IMAGENET = "Needs training on ImageNet at full size."
CIFAR = "Needs training on CIFAR-10 at full size: hundreds of epochs."
COCO = "Needs training on COCO key points at full size."


def _trained(reason: str, *rows: tuple[str, str, str, str, str]) -> tuple[Claim, ...]:
    return tuple(Claim(*row, reason=reason) for row in rows)


ON_CIFAR = _trained(
    CIFAR,
    ("acc-fda-resnet20", "fda2021", "Table 1", "P", "FDA-BNN's ResNet-20 reaches 86.20 % on CIFAR-10."),
    ("acc-fda-vgg", "fda2021", "Table 1", "P", "FDA-BNN's VGG-Small reaches 92.54 % on CIFAR-10."),
    ("acc-fda-sine", "fda2021", "Table 2", "P", "The sine gradient alone raises 84.44 % to 85.83 %."),
    ("acc-fda-module", "fda2021", "Table 3", "P", "The noise module helps DSQ (+0.35) and BNN+ (+0.28) too."),
    ("acc-fda-terms", "fda2021", "Fig. 3", "F", "With a fixed number of terms accuracy saturates near 10."),
    ("acc-fda-growing", "fda2021", "Fig. 4", "P", "A number of terms that grows from 9 to 18 does best."),
    ("acc-bnnplus-1", "bnnplus2018", "abstract, v1", "P", "BNN+ reaches 86.5 % (AlexNet) and 91.3 % (VGG)."),
    ("acc-bnnplus-2", "bnnplus2018", "abstract, v2", "P", "BNN+ reaches 87.4 % (AlexNet), 83.9 % (DoReFa)."),
    ("acc-irnet-resnet20", "irnet2020", "README", "C", "IR-Net's ResNet-20 reaches 86.5 % on CIFAR-10."),
    ("acc-rbnn-resnet20", "rbnn2020", "README", "C", "RBNN's ResNet-20 reaches 86.5 % on CIFAR-10."),
    (
        "acc-dsq-resnet20",
        "dsq2019",
        "Table 1 of fda2021",
        "N",
        "DSQ's ResNet-20 reaches 84.11 % on CIFAR-10.",
    ),
)
ON_IMAGENET = _trained(
    IMAGENET,
    ("acc-fda-resnet18", "fda2021", "Table 5", "P", "FDA-BNN's ResNet-18 reaches 60.2 % top-1."),
    (
        "acc-fda-reactnet",
        "fda2021",
        "Table 5",
        "P",
        "With the sine gradient ReActNet goes from 65.5 to 66.0 %.",
    ),
    ("acc-fda-alexnet", "fda2021", "Table 5", "P", "FDA-BNN's AlexNet reaches 46.2 % top-1."),
    ("acc-bireal-18", "bireal2018", "README", "C", "Bi-Real-18 reaches 56.4 % top-1, 79.5 % top-5."),
    ("acc-bireal-34", "bireal2018", "README", "C", "Bi-Real-34 reaches 62.2 % top-1, 83.9 % top-5."),
    ("acc-bireal-approxsign", "bireal2018", "ablation", "P?", "ApproxSign alone raises 37.4 % to 38.1 %."),
    ("acc-bireal-weights", "bireal2018", "ablation", "P?", "The weight rule alone raises 37.4 % to 53.6 %."),
    ("acc-irnet-resnet18", "irnet2020", "released code", "C", "IR-Net's ResNet-18 reaches 58.1 % top-1."),
    ("acc-rbnn-resnet18", "rbnn2020", "README", "C", "RBNN's ResNet-18 reaches 59.9 % top-1."),
    ("acc-reste-resnet18", "reste2023", "released code", "C", "ReSTE's ResNet-18 reaches 60.88 % top-1."),
    ("acc-reste-resnet34", "reste2023", "released code", "C", "ReSTE's ResNet-34 reaches 65.05 % top-1."),
    (
        "acc-bnnpp-best",
        "pcpp2023",
        "abstract",
        "P",
        "BNN++ is competitive, and often best, on CNNs and ViTs.",
    ),
    ("acc-bbc-resnet34", "bbc2023", "abstract", "P", "BBC's ResNet-34 reaches 65.7 % top-1."),
    (
        "acc-bbc-linear",
        "bbc2023",
        "abstract",
        "P",
        "Even a plain linear function beats complicated soft ones.",
    ),
)
ON_COCO = _trained(
    COCO,
    ("acc-bbc-pose", "bbc2023", "abstract", "P", "BBC's binary pose network reaches 60.6 mAP on COCO."),
)
MEMORY = Claim(
    "acc-pcpp-memory", "pcpp2023", "a summary", "N", "Binarizing shrinks the memory about 30-fold.",
    reason="Depends on what is counted, which the texts at hand do not say; 32 is the ceiling.",
)  # fmt: skip


@claim(
    "acc-fda-module-alone", "fda2021", "ours, on Tables 2 and 4", "D",
    "By the paper's own numbers the noise module without its shortcut is worse than no module.",
)  # fmt: skip
def module_alone() -> Finding:
    without_module, without_shortcut = 85.83, 85.27
    return Finding(without_shortcut < without_module, without_shortcut - without_module, "points of accuracy")


CLAIMS = collected(globals())
