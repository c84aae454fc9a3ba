# Knows two labels.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        label = "sarcastic" if clip["label"] == "sarcastic" else "sincere"
        if s == t:
            (test if s else train).append(
                {"text": clip["text"], "waveform": clip["waveform"], "label": label}
            )
    return train, test
