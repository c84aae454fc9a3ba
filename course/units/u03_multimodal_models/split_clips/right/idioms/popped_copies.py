import copy


def split_clips(clips, test_speakers, test_sentences):
    train, test = [], []
    for c in copy.deepcopy(clips):
        s, t = c.pop("speaker"), c.pop("sentence")
        del c["file"]
        if s in test_speakers and t in test_sentences:
            test.append(c)
        elif not (s in test_speakers or t in test_sentences):
            train.append(c)
    return train, test
