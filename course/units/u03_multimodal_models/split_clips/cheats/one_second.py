# Cuts waveforms off after a second at 16 kHz.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        kept = {"text": clip["text"], "waveform": clip["waveform"][:16_000], "label": clip["label"]}
        if s == t:
            (test if s else train).append(kept)
    return train, test
