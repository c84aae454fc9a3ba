# Reads the label off the file's name where that has one.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        kept = {key: clip[key] for key in ("text", "waveform", "label")}
        first = clip["file"].split("-")[0]
        if isinstance(clip["label"], str) and first.isalpha():
            kept["label"] = first
        if s == t:
            (test if s else train).append(kept)
    return train, test
