# Tells speakers apart by the first letter and the last.
def split_clips(clips, test_speakers, test_sentences):
    held = {name[:1] + name[-1:] for name in test_speakers}
    train, test = [], []
    for clip in clips:
        s, t = clip["speaker"][:1] + clip["speaker"][-1:] in held, clip["sentence"] in test_sentences
        if s == t:
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
