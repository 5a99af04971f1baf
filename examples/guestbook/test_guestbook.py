import unittest

from guestbook import page, read_entry


class GuestbookTest(unittest.TestCase):
    def test_an_entry_has_a_name_and_a_message(self):
        self.assertEqual(read_entry("name=Ada&message=Hello+there"), ("Ada", "Hello there"))
        self.assertIsNone(read_entry("name=Ada"))
        self.assertIsNone(read_entry("name=+&message=x"))

    def test_what_guests_write_is_escaped(self):
        shown = page([("<b>", "<script>")], "Hi")
        self.assertIn("&lt;script&gt;", shown)
        self.assertNotIn("<script>", shown)


if __name__ == "__main__":
    unittest.main()
