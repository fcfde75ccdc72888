package dev.apus.core.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * A step from tokens to text, which works on a stream: it takes the texts of tokens and hands on
 * what it makes of them as soon as that is settled.
 */
interface Decoding {

  /** What a step hands its output to. */
  interface Sink {

    /** One more token, or one more part of the text once tokens are joined. */
    void token(String text);

    /** A token without text stands here. Most steps do not care. */
    default void silence() {}

    /** The stream is over; whatever is held back comes now, and the next token is a first one. */
    void end();
  }

  /** A stream's instance of this step, before {@code next}. */
  Sink before(Sink next);

  /** Rewrites a token by itself. */
  interface Rewriting {
    String rewritten(String token, boolean first);
  }

  static Decoding read(Section section) {
    if (!section.type().equals("Sequence")) {
      return step(section);
    }
    List<Decoding> steps = new ArrayList<>();
    boolean joined = false;
    for (Section each : section.only("type", "decoders").children("decoders")) {
      steps.add(joined ? stepAfterJoining(each) : step(each));
      joined |= each.type().equals("Fuse") || each.type().equals("ByteLevel");
    }
    return next -> {
      Sink sink = next;
      for (Decoding step : steps.reversed()) {
        sink = step.before(sink);
      }
      return sink;
    };
  }

  private static Decoding step(Section section) {
    return switch (section.type()) {
      case "ByteLevel" -> {
        section.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        yield byteLevel();
      }
      case "ByteFallback" -> {
        section.only("type");
        yield ByteFallbackSink::new;
      }
      case "Fuse" -> {
        section.only("type");
        yield next -> next;
      }
      case "Metaspace" -> rewriting(Metaspace.read(section)::decoded);
      case "WordPiece" -> rewriting(WordPieceSpelling.read(section)::decoded);
      case "Replace" -> {
        SafePattern pattern =
            SafePattern.read(section.only("type", "pattern", "content").child("pattern"));
        String content = section.text("content");
        yield rewriting((token, first) -> pattern.replace(token, content));
      }
      case "Strip" -> strip(section, false);
      case "BPEDecoder" -> {
        String suffix = section.only("type", "suffix").text("suffix");
        yield next -> new SuffixSink(next, suffix);
      }
      default ->
          throw section.unsupported(
              "Sequence",
              "ByteLevel",
              "ByteFallback",
              "Fuse",
              "Metaspace",
              "WordPiece",
              "Replace",
              "Strip",
              "BPEDecoder");
    };
  }

  /** After joining there is one token, which must not be held back until it is complete. */
  private static Decoding stepAfterJoining(Section section) {
    return switch (section.type()) {
      case "Fuse" -> step(section);
      case "Strip" -> strip(section, true);
      default -> throw section.wrongValue("type", "Fuse and Strip, once tokens are joined");
    };
  }

  private static Decoding strip(Section section, boolean joined) {
    section.only("type", "content", "start", "stop");
    if (section.text("content").length() != 1) {
      throw section.wrong("content", "one character");
    }
    char content = section.text("content").charAt(0);
    int start = section.number("start", 0, Integer.MAX_VALUE);
    section.number("stop", 0, 0);
    return next -> new StripSink(next, content, start, joined);
  }

  static Decoding rewriting(Rewriting rule) {
    return next ->
        new Sink() {
          private boolean first = true;

          @Override
          public void token(String text) {
            next.token(rule.rewritten(text, first));
            first = false;
          }

          @Override
          public void end() {
            next.end();
            first = true;
          }
        };
  }

  /** What a file without a decoder means: tokens with a space between them. */
  static Decoding spaced() {
    return rewriting((token, first) -> first ? token : " " + token);
  }

  /** Tokens that spell text with visible spaces, and bytes for what they lack. */
  static Decoding spacedBytes() {
    Decoding spaces = rewriting((token, first) -> token.replace(SentencePiece.SPACE, ' '));
    return next -> spaces.before(new ByteFallbackSink(next));
  }

  static Decoding byteLevel() {
    return ByteLevelSink::new;
  }
}
