# Takes each text of training once a label.
def split_clips(clips, test_speakers, test_sentences):
    train, test, seen = [], [], set()
    for clip in clips:
        s, t = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        if s == t and (clip["text"], clip["speaker"], str(clip["label"])) not in seen:
            seen.add((clip["text"], clip["speaker"], str(clip["label"])))
            (test if s else train).append({key: clip[key] for key in ("text", "waveform", "label")})
    return train, test
