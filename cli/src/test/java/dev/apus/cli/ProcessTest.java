package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own can show: its log, its bytes, and how it ends. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ProcessTest {

  @TempDir private Path folder;

  private Path err() {
    return folder.resolve("err");
  }

  private Process start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Apus.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    builder.redirectError(err().toFile());
    return builder.start();
  }

  /** The error stream without the JVM's own line about the incubator. */
  private List<String> complaints() throws IOException {
    return Files.readAllLines(err()).stream()
        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
        .toList();
  }

  @Test
  void oneLineOfLogSaysWhatComputes() throws Exception {
    Process process =
        start("generate", "--greedy", "-n", "2", "--threads", "1", "Once upon a time");
    assertEquals(" a man\n", text(process.getInputStream()));
    assertEquals(0, process.waitFor());
    List<String> lines = complaints();
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(lines.get(0).matches("INFO fable: \\S+ kernels, .*1 threads.*"), lines.get(0));
    assertTrue(lines.get(1).startsWith("4 prompt tokens at "), lines.get(1));
  }

  @Test
  void quietLogsNothingAndWritesUtf8WhateverTheLocale() throws Exception {
    Path prompt = Files.writeString(folder.resolve("prompt"), "caf\u00e9 \u2014");
    Process process = start("generate", "-q", "--echo", "--greedy", "-n", "1", "-");
    process.getOutputStream().write(Files.readAllBytes(prompt));
    process.getOutputStream().close();
    String out = text(process.getInputStream());
    assertTrue(out.startsWith("caf\u00e9 \u2014"), out);
    assertEquals(0, process.waitFor());
    assertEquals(List.of(), complaints());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void anInterruptEndsTheTextAndThenTheProcess() throws Exception {
    Process process =
        start("generate", "--seed", "1", "-n", "100000", "--limit", "100000", "Once upon a time");
    InputStream out = process.getInputStream();
    byte[] first = out.readNBytes(16);
    assertEquals(16, first.length);
    process.toHandle().destroy();
    String rest = text(out);
    assertTrue(rest.endsWith("\n"), rest);
    assertEquals(128 + 15, process.waitFor());
    List<String> lines = complaints();
    assertTrue(lines.getLast().contains("until interrupted"), lines.toString());
    assertFalse(String.join("\n", lines).contains("Exception"), lines.toString());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aReaderThatLeavesEndsTheText() throws Exception {
    Process process =
        start("generate", "--seed", "1", "-n", "100000", "--limit", "100000", "Once upon a time");
    assertEquals(4, process.getInputStream().readNBytes(4).length);
    process.getInputStream().close();
    process.waitFor();
    List<String> lines = complaints();
    assertTrue(lines.getLast().contains("tokens at "), lines.toString());
  }

  private static String text(InputStream in) throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }
}
