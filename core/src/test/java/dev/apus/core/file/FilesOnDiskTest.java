package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the file system can do to a file before, while and after it is open. */
class FilesOnDiskTest {

  @TempDir Path folder;

  @Test
  void theFileMayBeClosedTwiceAndNotUsedAfterwards() throws IOException {
    for (TensorFile file : List.of(Safetensors.open(safetensors()), Gguf.open(gguf()))) {
      MemorySegment data = file.tensors().get("a").data();
      assertTrue(isMapped(file.name()));
      file.close();
      file.close();
      assertTrue(!isMapped(file.name()));
      var closed = assertThrows(IllegalStateException.class, file::tensors);
      assertEquals(file.name() + " is closed", closed.getMessage());
      assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void closingUnderAReaderStopsTheReaderWithAnException() throws Exception {
    TensorFile file = Safetensors.open(safetensors());
    MemorySegment data = file.tensors().get("a").data();
    var reading = new CountDownLatch(1);
    var reader =
        CompletableFuture.supplyAsync(
            () -> {
              for (long sum = 0; ; sum += data.get(ValueLayout.JAVA_BYTE, 0)) {
                reading.countDown();
              }
            });
    reading.await();
    file.close();
    var e = assertThrows(ExecutionException.class, reader::get);
    assertEquals(IllegalStateException.class, e.getCause().getClass());
    assertEquals("Already closed", e.getCause().getMessage());
  }

  @Test
  void theDataCannotBeWritten() throws IOException {
    try (TensorFile file = Safetensors.open(safetensors())) {
      MemorySegment data = file.tensors().get("a").data();
      assertTrue(data.isReadOnly());
    }
    byte[] bytes = SafetensorsBuilder.valid().build();
    try (TensorFile file = Safetensors.of("m", MemorySegment.ofArray(bytes))) {
      assertTrue(file.tensors().get("a").data().isReadOnly());
    }
  }

  @Test
  void aFileThatIsReplacedKeepsItsContentForThoseWhoHaveIt() throws IOException {
    Path path = safetensors();
    try (TensorFile file = Safetensors.open(path)) {
      MemorySegment data = file.tensors().get("a").data();
      new SafetensorsWriter().add("a", new float[] {9}).write(path);
      assertEquals(24, data.byteSize());
      assertEquals(23, data.get(ValueLayout.JAVA_BYTE, 23));
    }
    try (TensorFile file = Safetensors.open(path)) {
      assertEquals(4, file.tensors().get("a").data().byteSize());
    }
  }

  @Test
  void aFileCanBeWrittenOverItsOwnSource() throws IOException {
    Path path = gguf();
    try (TensorFile file = Gguf.open(path)) {
      var writer = new GgufWriter();
      file.tensors().values().forEach(writer::add);
      writer.write(path);
    }
    try (TensorFile file = Gguf.open(path)) {
      assertEquals(33, file.tensors().get("b").data().get(ValueLayout.JAVA_BYTE, 33));
    }
  }

  @Test
  void aFileCutShortUnderTheMappingIsAnErrorThatCanBeCaught() throws IOException {
    Path path = folder.resolve("m.safetensors");
    new SafetensorsWriter().add("a", new float[1 << 16], 1 << 16).write(path);
    try (TensorFile file = Safetensors.open(path)) {
      MemorySegment data = file.tensors().get("a").data();
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(64);
      }
      assertThrows(InternalError.class, () -> data.get(ValueLayout.JAVA_BYTE, data.byteSize() - 1));
    }
  }

  @Test
  void aFileThatIsStillGrowingIsRefused() throws IOException {
    Files.write(safetensors(), new byte[1], StandardOpenOption.APPEND);
    assertFault(Safetensors::open, "m.safetensors", "has 1 bytes after its last tensor");
    Files.write(gguf(), new byte[40], StandardOpenOption.APPEND);
    assertFault(Gguf::open, "m.gguf", "has 10 bytes after its last tensor");
  }

  @ParameterizedTest
  @ValueSource(strings = {"m.safetensors", "m.gguf"})
  void whatIsNoFileIsRefused(String name) throws IOException {
    Function<Path, TensorFile> open = name.endsWith("gguf") ? Gguf::open : Safetensors::open;
    Path path = folder.resolve(name);
    assertFault(open, name, "is not there; needed: a file at " + path);
    Files.createDirectory(path);
    assertFault(open, name, "is a folder; needed: a file at " + path);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/zero", "/dev/null"})
  void aDeviceIsRefused(String name) {
    Path device = Path.of(name);
    assumeTrue(Files.exists(device));
    var e = assertThrows(FormatException.class, () -> Gguf.open(device));
    assertEquals(
        device.getFileName() + ": is a device or a pipe; needed: a file at " + device,
        e.getMessage());
  }

  @Test
  void aFileWithoutASizeIsRefused() {
    Path path = Path.of("/proc/self/status");
    assumeTrue(Files.exists(path));
    var e = assertThrows(FormatException.class, () -> Safetensors.open(path));
    assertEquals("status: has 0 bytes; a safetensors file has at least 8", e.getMessage());
  }

  @Test
  void aPipeIsRefusedWithoutWaitingForItsOtherEnd() throws Exception {
    Path pipe = folder.resolve("m.gguf");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")));
    assertEquals(0, new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start().waitFor());
    assertFault(Gguf::open, "m.gguf", "is a device or a pipe; needed: a file at " + pipe);
  }

  @Test
  void aFileThatMayNotBeReadIsRefused() throws IOException {
    Path path = gguf();
    Files.setPosixFilePermissions(path, Set.<PosixFilePermission>of());
    assumeTrue(!Files.isReadable(path), "needs a user whom permissions stop");
    assertFault(Gguf::open, "m.gguf", "cannot be read: permission denied");
  }

  @Test
  void anInterruptCancelsOpeningAndLeavesNothing() throws IOException {
    Path path = gguf();
    Thread.currentThread().interrupt();
    var e = assertThrows(FormatException.class, () -> Gguf.open(path));
    assertTrue(Thread.interrupted(), "the interrupt must stay for the caller");
    assertEquals("m.gguf: reading was interrupted", e.getMessage());
    assertTrue(!isMapped("m.gguf"));
  }

  @Test
  void refusedFilesLeaveNothingOpen() throws IOException {
    Path path = safetensors();
    Files.write(path, new byte[1], StandardOpenOption.APPEND);
    long before = openFiles();
    for (int i = 0; i < 1000; i++) {
      assertThrows(FormatException.class, () -> Safetensors.open(path));
    }
    assertTrue(openFiles() <= before + 10, before + " open files became " + openFiles());
    assertTrue(!isMapped(path.getFileName().toString()));
  }

  @Test
  void tensorsMayBeLargerThanTwoGigabytesAndLieBeyondFour() throws IOException {
    long large = (1L << 31) + 8;
    Path path = folder.resolve("large.safetensors");
    String header =
        """
        {"a":{"dtype":"F16","shape":[%d],"data_offsets":[0,%d]},\
        "b":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}}\
        """
            .formatted(large, 2 * large, 2 * large, 2 * large + 1);
    Files.write(path, SafetensorsBuilder.valid().header(header).dataBytes(0).build());
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(8 + header.length() + 2 * large);
      file.write(42);
    }
    try (TensorFile file = Safetensors.open(path)) {
      assertEquals(large, file.tensors().get("a").elements());
      assertEquals(WeightFormat.F16, file.tensors().get("a").format());
      assertEquals(42, file.tensors().get("b").data().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNoOther() throws IOException {
    Path path = safetensors();
    byte[] before = Files.readAllBytes(path);
    assertThrows(
        IOException.class,
        () ->
            AtomicFile.write(
                path,
                out -> {
                  out.write(ByteBuffer.allocate(100));
                  throw new IOException("no space left");
                }));
    assertArrayEquals(before, Files.readAllBytes(path));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(path), left.toList());
    }
  }

  @Test
  void anyKindOfSegmentCanBeWritten() {
    byte[] written =
        AtomicFile.toBytes(out -> AtomicFile.write(out, MemorySegment.ofArray(new int[300_000])));
    assertArrayEquals(new byte[1_200_000], written);
  }

  private Path safetensors() throws IOException {
    return Files.write(folder.resolve("m.safetensors"), SafetensorsBuilder.valid().build());
  }

  private Path gguf() throws IOException {
    return Files.write(folder.resolve("m.gguf"), GgufBuilder.valid().build());
  }

  private void assertFault(Function<Path, TensorFile> open, String name, String message) {
    var e = assertThrows(FormatException.class, () -> open.apply(folder.resolve(name)));
    assertEquals(name + ": " + message, e.getMessage());
  }

  /** Whether a file of that name in the test's folder is mapped, where the system can tell. */
  private boolean isMapped(String name) throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.exists(maps));
    String path = folder.toRealPath().resolve(name).toString();
    return Files.readAllLines(maps).stream().anyMatch(line -> line.endsWith(path));
  }

  private static long openFiles() throws IOException {
    Path open = Path.of("/proc/self/fd");
    assumeTrue(Files.exists(open));
    try (Stream<Path> files = Files.list(open)) {
      return files.count();
    }
  }
}
