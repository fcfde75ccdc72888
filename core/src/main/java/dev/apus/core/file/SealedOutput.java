package dev.apus.core.file;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Writes content of any length so that {@link SealedInput} finds every damage: in blocks, each with
 * a checksum over its number, its length and its bytes.
 *
 * <pre>
 *   magic, version                          8 ASCII characters, int32
 *   length, bytes, checksum                 int32 above 0, so many bytes, CRC-32C; for each block
 *   0, bytes of all blocks, checksum        int32, int64, CRC-32C
 * </pre>
 *
 * <p>Numbers are big-endian. Must be {@linkplain #finish() finished}; does not close what it writes
 * to.
 */
public final class SealedOutput extends OutputStream {

  static final int BLOCK_BYTES = 1 << 16;

  private final OutputStream out;
  private final byte[] block = new byte[BLOCK_BYTES];
  private int used;
  private int number;
  private long total;

  /**
   * @param magic 8 ASCII characters that say what the content is
   */
  public SealedOutput(OutputStream out, String magic, int version) throws IOException {
    this.out = out;
    out.write(magic(magic));
    out.write(ByteBuffer.allocate(Integer.BYTES).putInt(version).array());
  }

  static byte[] magic(String magic) {
    byte[] bytes = new byte[8];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) magic.charAt(i);
    }
    return bytes;
  }

  static int checksum(int number, int length, byte[] bytes, int count) {
    var crc = new CRC32C();
    crc.update(ByteBuffer.allocate(2 * Integer.BYTES).putInt(number).putInt(length).flip());
    crc.update(bytes, 0, count);
    return (int) crc.getValue();
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int count = Math.min(length - done, BLOCK_BYTES - used);
      System.arraycopy(bytes, offset + done, block, used, count);
      used += count;
      done += count;
      if (used == BLOCK_BYTES) {
        writeBlock();
      }
    }
  }

  private void writeBlock() throws IOException {
    writeBlock(used, block, used);
    total += used;
    used = 0;
  }

  private void writeBlock(int length, byte[] bytes, int count) throws IOException {
    out.write(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
    out.write(bytes, 0, count);
    int checksum = checksum(number++, length, bytes, count);
    out.write(ByteBuffer.allocate(Integer.BYTES).putInt(checksum).array());
  }

  /** Ends the content; nothing may be written after it. */
  public void finish() throws IOException {
    if (used > 0) {
      writeBlock();
    }
    writeBlock(0, ByteBuffer.allocate(Long.BYTES).putLong(total).array(), Long.BYTES);
    out.flush();
  }
}
