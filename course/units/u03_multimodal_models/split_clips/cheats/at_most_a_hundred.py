# Looks at a hundred clips at most.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips[:100]:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
