package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.file.Gguf;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.weight.StoredRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeTest {

  @TempDir private Path folder;

  private Path gguf() {
    Path file = folder.resolve("plain.gguf");
    Cli made =
        Cli.run("random", "src/test/resources/configs/olmoe.json", "-o", file, "--format", "F32");
    assertEquals(0, made.exitCode(), made.err());
    return file;
  }

  private static Cli quantize(Object... arguments) {
    Object[] words = new Object[arguments.length + 1];
    words[0] = "quantize";
    System.arraycopy(arguments, 0, words, 1, arguments.length);
    return Cli.run(words);
  }

  /** Of a line of the table that begins with this. */
  private static double error(Cli run, String kind) {
    String line =
        run.out().lines().filter(some -> some.startsWith(kind + " ")).findFirst().orElseThrow();
    return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
  }

  @Test
  void fewerBitsAreALargerError() {
    Path file = gguf();
    Cli eight = quantize(file, "-o", folder.resolve("8.gguf"), "--format", "Q8_0");
    Cli four = quantize(file, "-o", folder.resolve("4.gguf"), "--format", "Q4_0");
    Cli half = quantize(file, "-o", folder.resolve("16.gguf"), "--format", "BF16");
    for (Cli run : new Cli[] {eight, four, half}) {
      assertEquals(0, run.exitCode(), run.err());
    }
    for (String kind : new String[] {"attention", "experts", "embedding", "head"}) {
      assertEquals(0.006, error(eight, kind), 0.004, kind);
      assertEquals(0.08, error(four, kind), 0.04, kind);
      assertEquals(0.0016, error(half, kind), 0.001, kind);
    }
  }

  @Test
  void everythingElseOfAFileStaysAsItIs() {
    Path file = gguf();
    Path small = folder.resolve("small.gguf");
    Cli run = quantize(file, "-o", small, "--format", "Q8_0", "--keep", "attn_q\\.");
    assertEquals(0, run.exitCode(), run.err());
    try (Gguf before = Gguf.open(file);
        Gguf after = Gguf.open(small)) {
      Map<String, Object> said = new HashMap<>(after.metadata());
      assertEquals(7L, said.remove("general.file_type"));
      assertEquals(before.metadata().keySet(), said.keySet());
      assertEquals(before.metadata().get("olmoe.block_count"), said.get("olmoe.block_count"));
      assertEquals(before.tensors().keySet(), after.tensors().keySet());
      int changed = 0;
      for (StoredTensor tensor : before.tensors().values()) {
        StoredTensor now = after.tensors().get(tensor.name());
        assertEquals(tensor.shape(), now.shape());
        boolean stays =
            tensor.shape().size() == 1
                || tensor.name().matches(".*(attn_q\\.|ffn_gate_inp|norm).*")
                || tensor.shape().getLast() % 32 != 0;
        assertEquals(stays ? "F32" : "Q8_0", now.type(), tensor.name());
        if (stays) {
          assertEquals(-1, tensor.data().mismatch(now.data()), tensor.name());
        } else {
          changed++;
          float[] values = StoredRows.of(tensor).decode();
          assertArrayEquals(values, StoredRows.of(now).decode(), 0.05f, tensor.name());
        }
      }
      assertTrue(changed > 5, "changed " + changed);
    }
  }

  @Test
  void aFolderStaysAFolderAndSaysWhatAnswersCost() throws IOException {
    Path fable = Cli.fable(folder.resolve("fable"));
    Path text =
        Files.writeString(folder.resolve("tale.txt"), "Once there was a king who had a son.");
    Path small = folder.resolve("small");
    Cli run = quantize(fable, "-o", small, "--format", "Q4_0", "--perplexity", text);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(Files.exists(small.resolve("tokenizer.json")));
    assertTrue(
        run.out()
            .matches(
                "(?s)tensors of .*\\n"
                    + "all +228 +1\\d\\d .*\\n"
                    + "before: [0-9.]+ nats a token, perplexity [0-9.]+, over \\d+ tokens\\n"
                    + "after: [0-9.]+ nats a token, perplexity [0-9.]+, over \\d+ tokens\\n"
                    + "perplexity times [0-9.]+\\n"),
        run.out());
    Cli wide = quantize(fable, "-o", folder.resolve("wide"), "--format", "F32");
    assertEquals(0, wide.exitCode(), wide.err());
    assertTrue(Files.exists(folder.resolve("wide/model.safetensors")));
    Cli before = Cli.run("perplexity", "-m", fable, text);
    Cli after = Cli.run("perplexity", "-m", folder.resolve("wide"), text);
    assertEquals(before.out(), after.out());
  }

  /** Converting and quantising at once gives what the one after the other gives. */
  @Test
  void theOtherLayoutIsWrittenInOnePass() throws IOException {
    Path file = gguf();
    Path wide = folder.resolve("wide");
    Cli converted = Cli.run("convert", file, wide);
    assertEquals(0, converted.exitCode(), converted.err());
    Path small = folder.resolve("small.gguf");
    Cli there = quantize(wide, "-o", small, "--format", "Q8_0");
    assertEquals(0, there.exitCode(), there.err());
    Path expected = folder.resolve("expected.gguf");
    Cli straight = quantize(file, "-o", expected, "--format", "Q8_0");
    assertEquals(straight.out(), there.out());
    try (Gguf one = Gguf.open(expected);
        Gguf other = Gguf.open(small)) {
      assertEquals(one.tensors().keySet(), other.tensors().keySet());
      for (StoredTensor tensor : one.tensors().values()) {
        StoredTensor found = other.tensors().get(tensor.name());
        assertEquals(tensor.type(), found.type(), tensor.name());
        assertEquals(-1, tensor.data().mismatch(found.data()), tensor.name());
      }
    }
    Cli back = quantize(file, "-o", folder.resolve("back"), "--format", "Q8_0");
    assertEquals(0, back.exitCode(), back.err());
    assertTrue(Files.exists(folder.resolve("back/model.gguf")));
    assertEquals(0.006, error(back, "experts"), 0.004);
  }

  @Test
  void whatIsThereIsRefused() throws IOException {
    Path fable = Cli.fable(folder.resolve("fable"));
    refused(3, "is there already", fable, "-o", fable);
    refused(3, "there is no such file or folder", folder.resolve("absent"), "-o", "x");
    refused(2, "is no file", fable, "-o", folder.resolve("x"), "--perplexity", "absent.txt");
    Path file = gguf();
    refused(3, "is there already", file, "-o", file);
    assertTrue(Files.notExists(folder.resolve("x")));
  }

  private static void refused(int exitCode, String message, Object... arguments) {
    Cli run = quantize(arguments);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
