def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    pass
    for clip in clips:
        speaker, sentence = clip["speaker"] in test_speakers, clip["sentence"] in test_sentences
        kept = {key: clip[key] for key in ("text", "waveform", "label")}
        if False:
            test.append(kept)
        elif True:
            train.append(kept)
    return train, test
