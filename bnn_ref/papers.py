"""The bibliography, once: every docstring, card and report cites these keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """One publication: who, what, where, when, and a link to read it."""

    authors: str
    title: str
    venue: str
    year: int
    link: str

    def __str__(self) -> str:
        return f"{self.authors}. {self.title}. {self.venue}, {self.year}."


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


def _search(words: str) -> str:
    """A search by title: for what was read of without its number."""
    return f"https://arxiv.org/search/?searchtype=title&query={words.replace(' ', '+')}"


PAPERS: dict[str, Paper] = {
    "bengio2013": Paper(
        "Y. Bengio, N. Léonard, A. Courville",
        "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation",
        "arXiv preprint",
        2013,
        _arxiv("1308.3432"),
    ),
    "binaryconnect2015": Paper(
        "M. Courbariaux, Y. Bengio, J.-P. David",
        "BinaryConnect: Training Deep Neural Networks with binary weights during propagations",
        "NeurIPS",
        2015,
        _arxiv("1511.00363"),
    ),
    "bnn2016": Paper(
        "I. Hubara, M. Courbariaux, D. Soudry, R. El-Yaniv, Y. Bengio",
        "Binarized Neural Networks: Training Neural Networks with Weights and Activations "
        "Constrained to +1 or -1",
        "NeurIPS",
        2016,
        _arxiv("1602.02830"),
    ),
    "xnornet2016": Paper(
        "M. Rastegari, V. Ordonez, J. Redmon, A. Farhadi",
        "XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks",
        "ECCV",
        2016,
        _arxiv("1603.05279"),
    ),
    "bireal2018": Paper(
        "Z. Liu, B. Wu, W. Luo, X. Yang, W. Liu, K.-T. Cheng",
        "Bi-Real Net: Enhancing the Performance of 1-bit CNNs With Improved Representational Capability "
        "and Advanced Training Algorithm",
        "ECCV",
        2018,
        _arxiv("1808.00278"),
    ),
    "bnnplus2018": Paper(
        "S. Darabi, M. Belbahri, M. Courbariaux, V. Partovi Nia",
        "BNN+: Improved Binary Network Training",
        "arXiv preprint",
        2018,
        _arxiv("1812.11800"),
    ),
    "dsq2019": Paper(
        "R. Gong, X. Liu, S. Jiang, T. Li, P. Hu, J. Lin, F. Yu, J. Yan",
        "Differentiable Soft Quantization: Bridging Full-Precision and Low-Bit Neural Networks",
        "ICCV",
        2019,
        _arxiv("1908.05033"),
    ),
    "irnet2020": Paper(
        "H. Qin, R. Gong, X. Liu, M. Shen, Z. Wei, F. Yu, J. Song",
        "Forward and Backward Information Retention for Accurate Binary Neural Networks",
        "CVPR",
        2020,
        _arxiv("1909.10788"),
    ),
    "rbnn2020": Paper(
        "M. Lin, R. Ji, Z. Xu, B. Zhang, Y. Wang, Y. Wu, F. Huang, C.-W. Lin",
        "Rotated Binary Neural Network",
        "NeurIPS",
        2020,
        _arxiv("2009.13055"),
    ),
    "reactnet2020": Paper(
        "Z. Liu, Z. Shen, M. Savvides, K.-T. Cheng",
        "ReActNet: Towards Precise Binary Neural Network with Generalized Activation Functions",
        "ECCV",
        2020,
        _arxiv("2003.03488"),
    ),
    "xnornet++2019": Paper(
        "A. Bulat, G. Tzimiropoulos",
        "XNOR-Net++: Improved Binary Neural Networks",
        "BMVC",
        2019,
        _arxiv("1909.13863"),
    ),
    "realtobinary2020": Paper(
        "B. Martinez, J. Yang, A. Bulat, G. Tzimiropoulos",
        "Training Binary Neural Networks with Real-to-Binary Convolutions",
        "ICLR",
        2020,
        _arxiv("2003.11535"),
    ),
    "fda2021": Paper(
        "Y. Xu, K. Han, C. Xu, Y. Tang, C. Xu, Y. Wang",
        "Learning Frequency Domain Approximation for Binary Neural Networks",
        "NeurIPS",
        2021,
        _arxiv("2103.00841"),
    ),
    "coco2014": Paper(
        "T.-Y. Lin, M. Maire, S. Belongie, J. Hays, P. Perona, D. Ramanan, P. Dollár, C. L. Zitnick",
        "Microsoft COCO: Common Objects in Context",
        "ECCV",
        2014,
        _arxiv("1405.0312"),
    ),
    "simplebaseline2018": Paper(
        "B. Xiao, H. Wu, Y. Wei",
        "Simple Baselines for Human Pose Estimation and Tracking",
        "ECCV",
        2018,
        _arxiv("1804.06208"),
    ),
    "hrnet2019": Paper(
        "K. Sun, B. Xiao, D. Liu, J. Wang",
        "Deep High-Resolution Representation Learning for Human Pose Estimation",
        "CVPR",
        2019,
        _arxiv("1902.09212"),
    ),
    "dark2020": Paper(
        "F. Zhang, X. Zhu, H. Dai, M. Ye, C. Zhu",
        "Distribution-Aware Coordinate Representation for Human Pose Estimation",
        "CVPR",
        2020,
        _arxiv("1910.06278"),
    ),
    "bbc2023": Paper(
        "Y. He, L. Zhang, W. Wu, H. Zhou",
        "Binarizing by Classification: Is soft function really necessary?",
        "IEEE TCSVT",
        2023,
        _arxiv("2205.07433"),
    ),
    "pcpp2023": Paper(
        "Y. Lu, Y. Yu, X. Li, V. Partovi Nia",
        "Understanding Neural Network Binarization with Forward and Backward Proximal Quantizers",
        "NeurIPS",
        2023,
        _arxiv("2402.17710"),
    ),
    "reste2023": Paper(
        "X.-M. Wu, D. Zheng, Z. Liu, W.-S. Zheng",
        "Estimator Meets Equilibrium Perspective: A Rectified Straight Through Estimator for Binary Neural "
        "Networks Training",
        "ICCV",
        2023,
        _arxiv("2308.06689"),
    ),
    "dorefa2016": Paper(
        "S. Zhou, Y. Wu, Z. Ni, X. Zhou, H. Wen, Y. Zou",
        "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth Gradients",
        "arXiv preprint",
        2016,
        _arxiv("1606.06160"),
    ),
    "lab2017": Paper(
        "L. Hou, Q. Yao, J. T. Kwok",
        "Loss-aware Binarization of Deep Networks",
        "ICLR",
        2017,
        _arxiv("1611.01600"),
    ),
    "abcnet2017": Paper(
        "X. Lin, C. Zhao, W. Pan",
        "Towards Accurate Binary Convolutional Neural Network",
        "NeurIPS",
        2017,
        _arxiv("1711.11294"),
    ),
    "bop2019": Paper(
        "K. Helwegen, J. Widdicombe, L. Geiger, Z. Liu, K.-T. Cheng, R. Nusselder",
        "Latent Weights Do Not Exist: Rethinking Binarized Neural Network Optimization",
        "NeurIPS",
        2019,
        _arxiv("1906.02107"),
    ),
    "adaste2022": Paper(
        "H. Le, R. K. Høier, C.-T. Lin, C. Zach",
        "AdaSTE: An Adaptive Straight-Through Estimator to Train Binary Neural Networks",
        "CVPR",
        2022,
        _arxiv("2112.02880"),
    ),
    "batchnorm2015": Paper(
        "S. Ioffe, C. Szegedy",
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
        "ICML",
        2015,
        _arxiv("1502.03167"),
    ),
    "resnet2016": Paper(
        "K. He, X. Zhang, S. Ren, J. Sun",
        "Deep Residual Learning for Image Recognition",
        "CVPR",
        2016,
        _arxiv("1512.03385"),
    ),
    "prelu2015": Paper(
        "K. He, X. Zhang, S. Ren, J. Sun",
        "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification",
        "ICCV",
        2015,
        _arxiv("1502.01852"),
    ),
    "proxquant2019": Paper(
        "Y. Bai, Y.-X. Wang, E. Liberty",
        "ProxQuant: Quantized Neural Networks via Proximal Operators",
        "ICLR",
        2019,
        _arxiv("1810.00861"),
    ),
    "binaryrelax2018": Paper(
        "P. Yin, S. Zhang, J. Lyu, S. Osher, Y. Qi, J. Xin",
        "BinaryRelax: A Relaxation Approach for Training Deep Neural Networks with Quantized Weights",
        "SIAM Journal on Imaging Sciences",
        2018,
        _search("BinaryRelax A Relaxation Approach"),
    ),
    "proxconnect2021": Paper(
        "T. Dockhorn, Y. Yu, E. Sari, M. Zolnouri, V. Partovi Nia",
        "Demystifying and Generalizing BinaryConnect",
        "NeurIPS",
        2021,
        _arxiv("2110.13220"),
    ),
    "parq2025": Paper(
        "L. Jin, J. Ma, Z. Liu, A. Gromov, A. Defazio, L. Xiao",
        "PARQ: Piecewise-Affine Regularized Quantization",
        "ICML",
        2025,
        _search("PARQ Piecewise-Affine Regularized Quantization"),
    ),
    "layernorm2016": Paper(
        "J. L. Ba, J. R. Kiros, G. E. Hinton",
        "Layer Normalization",
        "arXiv preprint",
        2016,
        _arxiv("1607.06450"),
    ),
    "gelu2016": Paper(
        "D. Hendrycks, K. Gimpel",
        "Gaussian Error Linear Units (GELUs)",
        "arXiv preprint",
        2016,
        _arxiv("1606.08415"),
    ),
    "attention2017": Paper(
        "A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, Ł. Kaiser, I. Polosukhin",
        "Attention Is All You Need",
        "NeurIPS",
        2017,
        _arxiv("1706.03762"),
    ),
    "vit2021": Paper(
        "A. Dosovitskiy, L. Beyer, A. Kolesnikov, D. Weissenborn, X. Zhai, T. Unterthiner, M. Dehghani, "
        "M. Minderer, G. Heigold, S. Gelly, J. Uszkoreit, N. Houlsby",
        "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        "ICLR",
        2021,
        _arxiv("2010.11929"),
    ),
    "deit2021": Paper(
        "H. Touvron, M. Cord, M. Douze, F. Massa, A. Sablayrolles, H. Jégou",
        "Training data-efficient image transformers & distillation through attention",
        "ICML",
        2021,
        _arxiv("2012.12877"),
    ),
    "adam2015": Paper(
        "D. P. Kingma, J. Ba",
        "Adam: A Method for Stochastic Optimization",
        "ICLR",
        2015,
        _arxiv("1412.6980"),
    ),
}
