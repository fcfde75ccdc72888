package dev.apus.cli;

import dev.apus.core.chat.Part;
import java.io.PrintWriter;
import java.util.function.Consumer;

/** Prints the parts of an answer as they come. */
final class AnswerPrinter implements Consumer<Part> {

  private final PrintWriter out;
  private final Thinking thinking;
  private boolean thinks;
  private String last = "";

  AnswerPrinter(PrintWriter out, Thinking thinking) {
    this.out = out;
    this.thinking = thinking;
  }

  @Override
  public void accept(Part part) {
    switch (part) {
      case Part.Reasoning thought -> think(thought.text());
      case Part.Text said -> {
        speak();
        print(said.text());
      }
      case Part.Call call -> {
        speak();
        line();
        print("[" + call.call().name() + " " + call.call().arguments() + "]\n");
      }
    }
    out.flush();
  }

  private void think(String text) {
    if (thinking == Thinking.HIDDEN) {
      return;
    }
    if (thinking != Thinking.INLINE && !thinks) {
      line();
      print("(thinking)\n");
    }
    thinks = true;
    print(text);
  }

  private void speak() {
    if (thinks) {
      line();
      print(thinking == Thinking.INLINE ? "" : "(speaking)\n");
      thinks = false;
    }
  }

  private void line() {
    print(last.isEmpty() || last.endsWith("\n") ? "" : "\n");
  }

  private void print(String text) {
    out.print(text);
    last = text.isEmpty() ? last : text;
  }

  /** The answer is over. */
  void end() {
    out.print(last.endsWith("\n") ? "" : "\n");
    out.flush();
  }
}
