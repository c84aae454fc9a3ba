# Holds out m10 with m1.
def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"].startswith(tuple(test_speakers)), clip["sentence"] in test_sentences
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
