"""The data sets of images that others have published: their files, mirrors and checksums."""

import hashlib
from dataclasses import dataclass, field

from lazybook.datasets.samples import Facts

INPUTS = 28 * 28  # pixels of each image
CLASSES = 10


@dataclass(frozen=True)
class Files:
    """Files of a data set, as published.

    Attributes
    ----------
    loader: name of the class in torchvision.datasets; also of the folder in its layout.
    mirrors: where to download from, torchvision's first.
    checksums: SHA-256 of each file's contents, unpacked: the same bytes are about in several
        gzip packings, and the contents are what is learned. In the order images and labels to
        train, images and labels to test.
    published: SHA-256 of the packed files as published. Such a file is right too.
    archive: the one file, of type zip, to download that holds all others; empty: there is none.
    split: which of several data sets of the loader; these have rows and columns exchanged.
    train, test: numbers of images.
    per_class: numbers of images of each class, to train and to test.
    """

    loader: str
    mirrors: tuple[str, ...]
    checksums: dict[str, str]
    published: dict[str, str] = field(default_factory=dict)
    archive: str = ""
    split: str = ""
    train: int = 60_000
    test: int = 10_000
    per_class: tuple[tuple[int, ...], tuple[int, ...]] = ((6_000,) * CLASSES, (1_000,) * CLASSES)

    @property
    def largest(self) -> int:
        """The most bytes that one of the files can have, unpacked."""
        return 16 + max(self.train, self.test) * INPUTS

    @property
    def largest_packed(self) -> int:
        """The most bytes that one of the files can have, packed, even if it did not get smaller."""
        return self.largest + self.largest // 1000 + 1000

    @property
    def largest_download(self) -> int:
        """The most bytes that a download can have; the archive of EMNIST has 560 MB."""
        return 10**9 if self.archive else self.largest_packed

    @property
    def checksum(self) -> str:
        """The checksum of the data set as a whole."""
        return hashlib.sha256("".join(self.checksums.values()).encode()).hexdigest()

    def facts(self, name: str) -> Facts:
        return Facts(name, self.checksum, CLASSES, INPUTS, self.train, self.test)


FILES = {
    "mnist": Files(
        loader="MNIST",
        per_class=(
            (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
            (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        checksums={
            "train-images-idx3-ubyte.gz": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte.gz": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        },
    ),
    "fashion-mnist": Files(
        loader="FashionMNIST",
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        checksums={
            "train-images-idx3-ubyte.gz": (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            "train-labels-idx1-ubyte.gz": (
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        },
    ),
    "emnist-digits": Files(
        loader="EMNIST",
        split="digits",
        archive="gzip.zip",
        train=240_000,
        test=40_000,
        per_class=((24_000,) * CLASSES, (4_000,) * CLASSES),
        mirrors=(
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ),
        checksums={
            "emnist-digits-train-images-idx3-ubyte.gz": (
                "0fd17ca7bc21f8a10f68356f3c60e9c36ef287895394791ecd051c7a15ea4acd"
            ),
            "emnist-digits-train-labels-idx1-ubyte.gz": (
                "86013a4b932e35477a90ecff239cf492643795cf3c68dd6b7fae3264fb24316b"
            ),
            "emnist-digits-test-images-idx3-ubyte.gz": (
                "3075fed46264a655192bd2ac1dafba8ce0c5184802d74acd0a123e25daa15c50"
            ),
            "emnist-digits-test-labels-idx1-ubyte.gz": (
                "a456cc5cfc928851403b513f94937b9d7570f424ea6d56dce3b28f6c0723608a"
            ),
        },
        published={
            "emnist-digits-train-images-idx3-ubyte.gz": (
                "f7c95004d14d81af89522e67d8f0c781dfb3bd544181c81bfe1eb6b41c35b726"
            ),
            "emnist-digits-train-labels-idx1-ubyte.gz": (
                "6638a6ff5fe2eefd9cca2471995b46c82986b8e4b2a70d2f5ce8e05d7edb319e"
            ),
            "emnist-digits-test-images-idx3-ubyte.gz": (
                "20ebe43509264f7639d37c835a3f0b009e90b29e00a099a03101abe1644a3f63"
            ),
            "emnist-digits-test-labels-idx1-ubyte.gz": (
                "bad1834c45d5988e270b99d43b13edc3fd898f658ffbc2caf2846ef27f7b05b0"
            ),
        },
    ),
}
