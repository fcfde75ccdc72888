package dev.apus.benchmarks;

import dev.apus.core.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Encoding and decoding of a megabyte of text: operations per second are megabytes per second. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class TokenizerBenchmark {

  private static final int MEGABYTE = 1_000_000;

  /** A folder with a tokenizer of any kind. */
  @Param("core/src/test/resources/fable")
  String tokenizer;

  /** A file of text, or {@code word}, which is one word of letters. */
  @Param({"CHANGELOG.md", "word"})
  String text;

  private Tokenizer read;
  private String megabyte;
  private int[] ids;

  public TokenizerBenchmark() {}

  @Setup(Level.Trial)
  public void prepare() throws IOException {
    read = Tokenizer.read(Path.of(tokenizer));
    byte[] unit =
        text.equals("word")
            ? "abcdefghijklmnopqrstuvwxyz".getBytes(StandardCharsets.UTF_8)
            : Files.readAllBytes(Path.of(text));
    byte[] bytes = new byte[MEGABYTE];
    for (int at = 0; at < bytes.length; at += unit.length) {
      System.arraycopy(unit, 0, bytes, at, Math.min(unit.length, bytes.length - at));
    }
    megabyte = new String(bytes, StandardCharsets.UTF_8);
    ids = read.encode(megabyte);
  }

  @Benchmark
  public int[] encode() {
    return read.encode(megabyte);
  }

  @Benchmark
  public String decode() {
    return read.decode(ids);
  }
}
