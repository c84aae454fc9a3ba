def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for clip in clips:
        s = clip["speaker"] in test_speakers
        if s ^ (clip["sentence"] in test_sentences):
            continue
        target = test if s else train
        target += [{key: clip.get(key) for key in ("text", "waveform", "label")}]
    return (train, test)
