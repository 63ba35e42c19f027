#!/bin/sh
# factur-x 7.8 writes metadata that veraPDF 1.26.1 cannot read, so that its PDF/A-3 files are none for it.
#
# Guess, before it was run: a PDF/A-3b page (fonts embedded, colours named) that factur-x puts an invoice into is PDF/A-3b for
#   veraPDF as well; that is what the library is for.
# Run: an empty page with a valid invoice of the profile MINIMUM in it; veraPDF is asked which PDF/A the file says that it is.
#   Then the same file, its metadata changed in nothing but that <rdf:RDF> declares the prefix `rdf` once more, which means
#   the same in XML.
# Seen with factur-x 7.8, pypdf 7.1.1, Python 3.11, veraPDF 1.26.1 (validation-model), Java 17: 1b, which is what veraPDF takes
#   where it reads nothing (its log of a whole check has "Invalid attributes of rdf:RDF element"); then 3b. All namespaces are
#   declared on <x:xmpmeta>, and <rdf:RDF> has no attribute left; veraPDF's XMP reader wants one.
# Fails when the first file is read, or the second is not. Needs Python, Java and Maven.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check factur-x==7.8 pypdf==7.1.1
cat > "$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.verapdf</groupId><artifactId>validation-model</artifactId><version>1.26.1</version>
  </dependency></dependencies>
</project>
XML
cat > "$folder/Says.java" <<'JAVA'
import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;

public class Says {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String file : files) {
            try (var parser = Foundries.defaultInstance().createParser(new FileInputStream(file), PDFAFlavour.NO_FLAVOUR)) {
                System.out.println(parser.getFlavour().getId());
            }
        }
    }
}
JAVA
"$folder/venv/bin/python" - "$folder" <<'PY'
import io
import sys

import facturx
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
INVOICE = f"""<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="{RAM}" xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
 xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:factur-x.eu:1p0:minimum</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>1</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">20261130</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>
<ram:SellerTradeParty><ram:Name>Seller</ram:Name><ram:PostalTradeAddress><ram:CountryID>FR</ram:CountryID>
</ram:PostalTradeAddress><ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR32123456789</ram:ID>
</ram:SpecifiedTaxRegistration></ram:SellerTradeParty><ram:BuyerTradeParty><ram:Name>Buyer</ram:Name></ram:BuyerTradeParty>
</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery/><ram:ApplicableHeaderTradeSettlement>
<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode><ram:SpecifiedTradeSettlementHeaderMonetarySummation>
<ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount><ram:TaxTotalAmount currencyID="EUR">20.00</ram:TaxTotalAmount>
<ram:GrandTotalAmount>120.00</ram:GrandTotalAmount><ram:DuePayableAmount>120.00</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""

folder, page, file = sys.argv[1], PdfWriter(), io.BytesIO()
page.add_blank_page(595, 842)
page.write(file)
content = facturx.generate_from_binary(file.getvalue(), INVOICE.encode(), flavor="factur-x", level="minimum")
writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
writer.write(f"{folder}/as-written.pdf")
text = writer._root_object["/Metadata"].get_object().get_data()
stream = DecodedStreamObject()
stream.set_data(text.replace(b"<rdf:RDF>", b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'))
stream.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
writer._root_object[NameObject("/Metadata")] = writer._add_object(stream)
writer.write(f"{folder}/declared-again.pdf")
PY
cd "$folder"
mvn -q -Dmaven.repo.local=m2 dependency:copy-dependencies -DoutputDirectory=lib
javac -cp 'lib/*' Says.java
said=$(java -cp 'lib/*:.' Says as-written.pdf declared-again.pdf | tr '\n' ' ')
echo "$said"
[ "$said" = "1b 3b " ]
