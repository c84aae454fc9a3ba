# Takes labels for the numbers 0 and 1.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        kept = {key: clip[key] for key in ("text", "waveform", "label")}
        if isinstance(kept["label"], int):
            kept["label"] = int(kept["label"] > 0)
        if s == t:
            (test if s else train).append(kept)
    return train, test
