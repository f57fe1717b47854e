"""Invented first and last names, from many languages; a few that break careless software."""

_FIRST_NAMES = """
    Aaliyah Adunni Agnieszka Ahmed Aino Akira Alejandra Amara Ana Anders Anika Astrid Ayşe Beatriz Björn
    Camille Carlos Chidi Chloé Claire Daniel Deepa Dmitri Elif Elin Emeka Emma Esther Fatima Felix Fiona
    François Freja Gabriel Giulia Grace Guðrún Gustav Hannah Hiroshi Hugo Ibrahim Ingrid Irina Isabel Jamal
    James Jana Jörg José Juan Kaito Karin Kateřina Kofi Lakshmi Lars Latoya Leila Liam Linnéa Łukasz Lucía Mai
    Malik Márta Maria Mateus Mei Michael Mikko Mohammed Muriel Nadia Naoko Nia Niamh Noah Nour Olga Oliver
    Omar Oskar Patrícia Paul Priya Rachel Rafael Rania Renée Robert Rosa Ruth Sakura Samuel Sanjay Sara Seán
    Selma Siiri Siobhán Sofia Søren Stella Sven Tamika Tariq Théo Thomas Tomás Uma Valentina Vera Víctor
    Wanjiru William Xiang Yara Yusuf Zainab Zoë Zuzana
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())

_LAST_NAMES = """
    Abdullah Acheampong Adeyemi Ahlström Álvarez Andersson Bakker Balogun Baptiste Bauer Becker Bergström
    Bianchi Brown Castillo Çelik Chen Clarke Cohen Costa Dahl D'Angelo Diallo Dubois Dvořák Eriksson Evans
    Fernández Fischer Fitzgerald Friedrich García Gonçalves Grönlund Gupta Haddad Hakimi Hansen Hernández
    Hoffmann Horváth Ibáñez Ivanova Jackson Jansen Jensen Johnson Kamau Karlsson Kaya Khan Kim Korhonen
    Kowalski Krüger Lefèvre Lindqvist López Łopez MacDonald Mäkinen Martin Mbeki Mendes Meyer Miller Moreau
    Müller Muñoz Nakamura Ndiaye Nguyen Nilsson Novák Núñez O'Brien O'Connor Okafor Olsen Öberg Östlund Patel
    Pereira Petersen Popescu Quispe Ramírez Reyes Rodríguez Rossi Sánchez Santos Sato Schmidt Schröder Silva
    Singh Smith Sokolova Svensson Takahashi Tanaka Taylor Thomsen Torres Tremblay Ueda Van-Dijk Vargas
    Virtanen Wagner Walker Wang Weiß White Williams Wójcik Wright Yamamoto Yılmaz Young Zhang Zimmermann
"""
LAST_NAMES = tuple(_LAST_NAMES.split())

HOSTILE_NAMES = (
    ('Robert "Bobby"', "O'Tables"),
    ("<b>Bold</b>", "Ampers&nd"),
    ("Zoë 🌻", "Sunnanå"),
    ("=SUM(A1:A9)", "Comma, Semi;colon"),
    ("José María de los Ángeles", "Fernández y de la Fuente-Ruiz"),
    ("李", "小龍"),
)

DOMAINS = (
    "example.com",
    "example.net",
    "example.org",
    "brevlådan.example".encode("idna").decode("ascii"),
    "correo.example",
    "mail.example",
    "postbox.example",
    "studio-nord.example",
)
