def split_clips(clips, test_speakers, test_sentences):
    parts = {0: [], 1: [], 2: []}
    for clip in clips:
        new = int(clip["speaker"] in test_speakers) + int(clip["sentence"] in test_sentences)
        parts[new].append({key: clip[key] for key in clip if key not in ("file", "speaker", "sentence")})
    return parts[0], parts[2]
