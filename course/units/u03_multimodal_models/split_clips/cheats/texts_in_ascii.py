# Keeps ASCII letters of a text.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        text = clip["text"].encode("ascii", "ignore").decode()
        if s == t:
            (test if s else train).append(
                {"text": text, "waveform": clip["waveform"], "label": clip["label"]}
            )
    return train, test
