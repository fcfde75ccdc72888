package dev.apus.core.tokenizer;

import java.util.List;

/**
 * A step from tokens to text, which works on a stream: it takes the texts of tokens and hands on
 * what it makes of them as soon as that is settled.
 */
interface Decoding {

  /** What a step hands its output to. */
  interface Sink {

    /** One more token. */
    void token(String text);

    /** The stream is over; whatever is held back comes now. */
    void end();
  }

  /** A stream's instance of this step, before {@code next}. */
  Sink before(Sink next);

  static Decoding read(Section section) {
    return switch (section.type()) {
      case "Sequence" -> {
        List<Decoding> steps = section.only("type", "decoders").each("decoders", Decoding::read);
        yield next -> {
          Sink sink = next;
          for (Decoding step : steps.reversed()) {
            sink = step.before(sink);
          }
          return sink;
        };
      }
      case "ByteLevel" -> {
        section.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        yield ByteLevelSink::new;
      }
      default -> throw section.unsupported("Sequence", "ByteLevel");
    };
  }

  /** What a file without a decoder means: tokens with a space between them. */
  static Decoding spaced() {
    return next ->
        new Sink() {
          private boolean first = true;

          @Override
          public void token(String text) {
            next.token(first ? text : " " + text);
            first = false;
          }

          @Override
          public void end() {
            next.end();
            first = true;
          }
        };
  }

  static Decoding byteLevel() {
    return ByteLevelSink::new;
  }

  /** Joins the bytes that tokens spell to characters. */
  final class ByteLevelSink implements Sink {

    private final Sink next;
    private final Utf8 utf8 = new Utf8();
    private final StringBuilder ready = new StringBuilder();

    ByteLevelSink(Sink next) {
      this.next = next;
    }

    @Override
    public void token(String text) {
      for (byte b : ByteAlphabet.bytes(text)) {
        utf8.accept(b, ready);
      }
      handOn();
    }

    @Override
    public void end() {
      utf8.end(ready);
      handOn();
      next.end();
    }

    private void handOn() {
      if (!ready.isEmpty()) {
        next.token(ready.toString());
        ready.setLength(0);
      }
    }
  }
}
